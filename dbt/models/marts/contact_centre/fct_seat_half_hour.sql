{{ config(materialized='changing', key='date_key', affected='affected_seat_days') }}
-- Read twice rather than held in memory whole.
with

states as not materialized (
  select * from {{ ref('fct_agent_state') }}
  {{ only_affected('date_key', 'affected_seat_days') }}
),

seats as (select * from {{ ref('dim_seat') }}),

placed as not materialized (
  select
    seat_key,
    agent_key,
    date_key,
    state,
    pause_paid,
    branch_key,
    seconds,
    -- Microseconds since local midnight; states are cut at midnight, so an end may be 24:00 but never beyond.
    (epoch_us(started_at) + {{ local_offset_us() }}) % 86400000000 as start_us,
    (epoch_us(started_at) + {{ local_offset_us() }}) % 86400000000
    + epoch_us(ended_at) - epoch_us(started_at) as end_us
  from states
),

halves as not materialized (
  select *, start_us // 1800000000 as first_half, (end_us - 1) // 1800000000 as last_half from placed
),

clipped as (
  select
    seat_key, agent_key, date_key, first_half as half_hour_key, state, pause_paid, branch_key, seconds
  from halves
  where first_half = last_half
  union all
  select
    seat_key,
    agent_key,
    date_key,
    first_half + piece as half_hour_key,
    state,
    pause_paid,
    branch_key,
    (least(end_us, (first_half + piece + 1) * 1800000000) - greatest(start_us, (first_half + piece) * 1800000000))
    / 1000000.0 as seconds
  from (
    select *, unnest(range(last_half - first_half + 1)) as piece from halves where first_half < last_half
  ) as crossing
),

-- By agent first: counting distinct agents over every piece costs more than all sums together.
worked_by_agent as (
  select
    seat_key,
    date_key,
    half_hour_key,
    branch_key,
    agent_key,
    sum(seconds) as occupied_seconds,
    sum(case when state in ('alerting', 'talk', 'hold', 'wrap_up') then seconds else 0 end) as on_contact_seconds,
    sum(case when state = 'available' then seconds else 0 end) as available_seconds,
    sum(case when state = 'pause' then seconds else 0 end) as pause_seconds,
    sum(case when state = 'pause' and pause_paid then seconds else 0 end) as paid_pause_seconds
  from clipped
  group by seat_key, date_key, half_hour_key, branch_key, agent_key
),

worked as (
  select
    seat_key,
    date_key,
    cast(half_hour_key as tinyint) as half_hour_key,
    branch_key,
    sum(occupied_seconds) as occupied_seconds,
    sum(on_contact_seconds) as on_contact_seconds,
    sum(available_seconds) as available_seconds,
    sum(pause_seconds) as pause_seconds,
    sum(paid_pause_seconds) as paid_pause_seconds,
    count(*) as agents
  from worked_by_agent
  group by seat_key, date_key, half_hour_key, branch_key
),

-- Opening seconds of each half-hour of each day on which anything was recorded.
span as (select min(date_key) as first_key, max(date_key) as last_key from {{ ref('fct_agent_state') }}),

calendars as (
  select day.calendar_code, date.date_key, date.date, day.follows_weekday
  from {{ ref('stg_lake__calendar_days') }} as day
  inner join {{ ref('dim_date') }} as date on day.day = date.date
  cross join span
  where
    date.date_key between span.first_key and span.last_key
    {{ only_affected('date.date_key', 'affected_seat_days', 'and') }}
),

opening as (
  select
    calendar.calendar_code,
    calendar.date_key,
    calendar.date,
    half_hour.half_hour_key,
    sum(
      least(window_.closes_second, half_hour.starts_second + 1800)
      - greatest(window_.opens_second, half_hour.starts_second)
    ) as open_seconds
  from calendars as calendar
  inner join {{ ref('stg_lake__calendar_windows') }} as window_
    on calendar.calendar_code = window_.calendar_code and calendar.follows_weekday = window_.weekday
  inner join {{ ref('dim_half_hour') }} as half_hour
    on half_hour.starts_second < window_.closes_second and half_hour.starts_second + 1800 > window_.opens_second
  group by calendar.calendar_code, calendar.date_key, calendar.date, half_hour.half_hour_key
),

installed as (
  select
    seat.seat_key,
    opening.date_key,
    opening.half_hour_key,
    seat.branch_key,
    opening.open_seconds
  from seats as seat
  inner join opening
    on
      seat.calendar_code = opening.calendar_code
      and seat.installed_on <= opening.date
      -- Removed on a day: no longer there that day.
      and (seat.removed_on is null or opening.date < seat.removed_on)
)

select
  coalesce(installed.seat_key, worked.seat_key) as seat_key,
  coalesce(installed.date_key, worked.date_key) as date_key,
  coalesce(installed.half_hour_key, worked.half_hour_key) as half_hour_key,
  coalesce(installed.branch_key, worked.branch_key) as branch_key,
  branch.city_code,
  seat.centre_code,
  cast(coalesce(installed.open_seconds, 0) as integer) as installed_seconds_open,
  coalesce(worked.occupied_seconds, 0) as occupied_seconds,
  coalesce(worked.on_contact_seconds, 0) as on_contact_seconds,
  coalesce(worked.available_seconds, 0) as available_seconds,
  coalesce(worked.pause_seconds, 0) as pause_seconds,
  coalesce(worked.paid_pause_seconds, 0) as paid_pause_seconds,
  cast(coalesce(worked.agents, 0) as integer) as agents
from installed
full outer join worked
  on
    installed.seat_key = worked.seat_key
    and installed.date_key = worked.date_key
    and installed.half_hour_key = worked.half_hour_key
    and installed.branch_key = worked.branch_key
inner join seats as seat on seat.seat_key = coalesce(installed.seat_key, worked.seat_key)
inner join {{ ref('dim_branch') }} as branch on branch.branch_key = coalesce(installed.branch_key, worked.branch_key)
