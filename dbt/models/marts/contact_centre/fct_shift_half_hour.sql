{{ config(materialized='changing', key='date_key', affected='affected_shift_days') }}
-- Microseconds are local ones. Shifts are cut at midnight, as the states are, then both at half-hours.
{%- set pieces_met -%}
inner join pieces as piece
    on
      state.agent_key = piece.agent_key
      and state.date_key = piece.date_key
      and state.start_us < piece.end_us
      and state.end_us > piece.start_us
{%- endset %}
with

shifts as (
  select
    shift.agent_key,
    {{ member('shift.seat_key', 'seat.seat_key') }} as seat_key,
    coalesce(case when shift.seat_key is null then agent.branch_key else seat.branch_key end, -1) as branch_key,
    coalesce(case when shift.seat_key is null then agent.city_code else seat.city_code end, 'unknown') as city_code,
    shift.start_us + {{ local_offset_us() }} as start_us,
    shift.end_us + {{ local_offset_us() }} as end_us
  from {{ ref('int_contact_centre__shifts_merged') }} as shift
  -- Of an agent who has not arrived nothing can be said.
  inner join {{ ref('dim_agent') }} as agent on shift.agent_key = agent.agent_key
  left join {{ ref('dim_seat') }} as seat on shift.seat_key = seat.seat_key
),

cut as (
  select *, unnest(range(start_us // 86400000000, (end_us - 1) // 86400000000 + 1)) as day from shifts
),

dated as (
  select
    * exclude (start_us, end_us),
    {{ date_key("(date '1970-01-01' + cast(day as integer))") }} as date_key,
    greatest(start_us, day * 86400000000) as start_us,
    least(end_us, (day + 1) * 86400000000) as end_us
  from cut
),

-- Days on which an agent's states overlap: two systems told of the same time.
contested as (
  select agent_key, date_key
  from {{ ref('int_contact_centre__agent_days_measured') }}
  {{ only_affected('date_key', 'affected_shift_days') }}
  group by agent_key, date_key
  having count(*) > 1 or sum(overlap_count) > 0
),

pieces as materialized (
  select dated.*, contested.agent_key is not null as is_contested
  from dated
  left join contested on dated.agent_key = contested.agent_key and dated.date_key = contested.date_key
  {{ only_affected('dated.date_key', 'affected_shift_days') }}
),

scheduled as (
  select
    agent_key,
    seat_key,
    branch_key,
    city_code,
    date_key,
    half,
    sum(least(end_us, (half + 1) * 1800000000) - greatest(start_us, half * 1800000000)) as scheduled_us
  from (
    select *, unnest(range(start_us // 1800000000, (end_us - 1) // 1800000000 + 1)) as half from pieces
  ) as halves
  group by agent_key, seat_key, branch_key, city_code, date_key, half
),

states as not materialized (
  select
    agent_key,
    date_key,
    -- Where states overlap the lower kind holds: at work, in a paid pause, in another.
    case when state <> 'pause' then 1 when pause_paid then 2 else 3 end as kind,
    epoch_us(started_at) + {{ local_offset_us() }} as start_us,
    epoch_us(ended_at) + {{ local_offset_us() }} as end_us
  from {{ ref('fct_agent_state') }}
  {{ only_affected('date_key', 'affected_shift_days') }}
),

-- Most states lie within one half-hour: only the others are taken apart.
short_states as not materialized (
  select
    state.kind,
    piece.*,
    state.start_us // 1800000000 as half,
    greatest(state.start_us, piece.start_us) as from_us,
    least(state.end_us, piece.end_us) as to_us
  from states as state
  {{ pieces_met }}
  where state.start_us // 1800000000 = (state.end_us - 1) // 1800000000
),

long_states as not materialized (
  select
    * replace (greatest(from_us, half * 1800000000) as from_us, least(to_us, (half + 1) * 1800000000) as to_us)
  from (
    select
      *,
      unnest(range(from_us // 1800000000, (to_us - 1) // 1800000000 + 1)) as half
    from (
      select
        state.kind,
        piece.*,
        greatest(state.start_us, piece.start_us) as from_us,
        least(state.end_us, piece.end_us) as to_us
      from states as state
      {{ pieces_met }}
      where state.start_us // 1800000000 <> (state.end_us - 1) // 1800000000
    ) as met
  ) as halves
),

clipped as not materialized (
  select agent_key, seat_key, date_key, half, kind, is_contested, from_us, to_us from short_states
  union all
  select agent_key, seat_key, date_key, half, kind, is_contested, from_us, to_us from long_states
),

-- Where states overlap: time in kind 1, in 1 or 2, and in any, each the union of its intervals.
reaching as (
  select
    *,
    max(to_us) over (
      partition by agent_key, seat_key, half, within
      order by from_us
      rows between unbounded preceding and 1 preceding
    ) as reached_us
  from (select *, unnest(range(kind, 4)) as within from clipped where is_contested) as laddered
),

united as (
  select
    agent_key,
    seat_key,
    date_key,
    half,
    within,
    sum(greatest(to_us - greatest(from_us, coalesce(reached_us, from_us)), 0)) as covered_us
  from reaching
  group by agent_key, seat_key, date_key, half, within
),

spent as (
  select
    agent_key,
    seat_key,
    date_key,
    half,
    sum(case when kind = 1 then to_us - from_us else 0 end) as worked_us,
    sum(case when kind = 2 then to_us - from_us else 0 end) as paid_pause_us,
    sum(case when kind > 1 then to_us - from_us else 0 end) as pause_us
  from clipped
  where not is_contested
  group by agent_key, seat_key, date_key, half
  union all
  select
    agent_key,
    seat_key,
    date_key,
    half,
    sum(case when within = 1 then covered_us else 0 end),
    sum(case within when 2 then covered_us when 1 then -covered_us else 0 end),
    sum(case within when 3 then covered_us when 1 then -covered_us else 0 end)
  from united
  group by agent_key, seat_key, date_key, half
)

select
  scheduled.agent_key,
  scheduled.seat_key,
  scheduled.date_key,
  cast(scheduled.half % 48 as tinyint) as half_hour_key,
  scheduled.branch_key,
  scheduled.city_code,
  scheduled.scheduled_us / 1000000.0 as scheduled_seconds,
  coalesce(spent.worked_us, 0) / 1000000.0 as worked_seconds,
  coalesce(spent.pause_us, 0) / 1000000.0 as pause_seconds,
  coalesce(spent.paid_pause_us, 0) / 1000000.0 as paid_pause_seconds,
  (scheduled.scheduled_us - coalesce(spent.worked_us + spent.pause_us, 0)) / 1000000.0 as absent_seconds
from scheduled
left join spent
  on
    scheduled.agent_key = spent.agent_key
    and scheduled.seat_key = spent.seat_key
    and scheduled.date_key = spent.date_key
    and scheduled.half = spent.half
