{{ config(materialized='changing', key='date_key', affected='affected_line_days') }}
-- Lines are looked at every 10 s (a tick): whole numbers, few rows to sort, and a peak that lasts is seen.
{%- set affected, longest = ref('affected_line_days'), ref('int_contact_centre__longest_line') -%}
{%- set tick_us, ticks, half_hours = 10000000, 180, 10000000 %}
with

{% if is_increment() %}
{%- set near -%}
select seen_at from ({{ ends_of_days(affected) }}) as days
union all
select seen_at - to_microseconds((select longest_us from {{ longest }}))
from ({{ ends_of_days(affected) }}) as days
{%- endset %}
-- No call of another time can reach into the days.
near_calls as materialized (
  select * from {{ ref('stg_lake__calls') }} where {{ within('started_at', near) }}
),
{% endif %}

calls as materialized (
  select
    call_key,
    trunk_code,
    has_recording,
    epoch_us(started_at) + {{ local_offset_us() }} as started_us,
    epoch_us(coalesce(ended_at, started_at)) + {{ local_offset_us() }} as ended_us,
    cast(ivr_seconds * 1000000 as bigint) as ivr_us
  from {{ 'near_calls' if is_increment() else ref('stg_lake__calls') }}
  {% if is_increment() %}
  where exists (
    select * from {{ affected }} as affected
    where
      affected.date_key between {{ local_date_key('started_at') }}
      and {{ local_date_key(line_ended_at()) }}
  )
  {% endif %}
),

-- A number each line, all trunks together 0 and the IVR 1: numbers group and sort several times as fast as codes.
lines as (
  select trunk_code, 1 + row_number() over (order by trunk_code) as line
  from (select distinct trunk_code from calls) as trunks
),

-- A call holds its trunk from the first ring to the end, and an IVR port at its beginning.
held as not materialized (
  select line.line, call.has_recording, call.started_us, greatest(call.ended_us, call.started_us) as ended_us
  from calls as call
  inner join lines as line on call.trunk_code = line.trunk_code
  union all
  select 1, false, started_us, started_us + ivr_us from calls where ivr_us > 0
),

ticked as not materialized (
  select
    *,
    (started_us + {{ tick_us - 1 }}) // {{ tick_us }} as first_tick,
    greatest((ended_us + {{ tick_us - 1 }}) // {{ tick_us }}, (started_us + {{ tick_us - 1 }}) // {{ tick_us }} + 1) as end_tick
  from held
),

-- Cut at half-hours; nearly none crosses one twice. A slot is a line's half-hour.
pieces as materialized (
  select
    line * {{ half_hours }} + first_tick // {{ ticks }} as slot, first_tick, end_tick, true as begins, has_recording
  from ticked
  where first_tick // {{ ticks }} = (end_tick - 1) // {{ ticks }}
  union all
  select
    line * {{ half_hours }} + half_hour,
    greatest(first_tick, half_hour * {{ ticks }}),
    least(end_tick, (half_hour + 1) * {{ ticks }}),
    half_hour = first_tick // {{ ticks }},
    has_recording
  from (
    select *, unnest(range(first_tick // {{ ticks }}, (end_tick - 1) // {{ ticks }} + 1)) as half_hour
    from ticked
    where first_tick // {{ ticks }} < (end_tick - 1) // {{ ticks }}
  ) as crossing
),

moves_of_lines as materialized (
  select slot, tick, sum(move) as move
  from (
    select slot, first_tick as tick, 1 as move from pieces
    union all
    select slot, end_tick, -1 from pieces
  ) as both_ends
  group by slot, tick
),

moves as (
  select slot, tick, move from moves_of_lines
  union all
  select slot % {{ half_hours }}, tick, sum(move)
  from moves_of_lines
  where slot >= {{ 2 * half_hours }}
  group by 1, 2
),

running as (
  select slot, sum(move) over (partition by slot order by tick) as in_use from moves
),

peaks as (select slot, max(in_use) as peak from running group by slot),

sums_of_lines as materialized (
  select
    slot,
    count(*) filter (where begins) as calls,
    count(*) filter (where begins and has_recording) as recordings,
    sum(end_tick - first_tick) * {{ tick_us // 1000000 }} as busy_seconds
  from pieces
  group by slot
),

sums as (
  select slot, calls, recordings, busy_seconds from sums_of_lines
  union all
  select slot % {{ half_hours }}, sum(calls), sum(recordings), sum(busy_seconds)
  from sums_of_lines
  where slot >= {{ 2 * half_hours }}
  group by 1
),

named as (
  select *, slot // {{ half_hours }} as line, slot % {{ half_hours }} as half_hour from sums
)

select
  {{ date_key("(date '1970-01-01' + cast(sums.half_hour // 48 as integer))") }} as date_key,
  cast(sums.half_hour % 48 as tinyint) as half_hour_key,
  case when sums.line = 1 then 'ivr' else 'trunk' end as resource,
  coalesce(line.trunk_code, 'all') as line_code,
  'province' as city_code,
  cast(sums.calls as bigint) as calls,
  cast(sums.recordings as bigint) as recordings,
  cast(sums.busy_seconds as bigint) as busy_seconds,
  cast(peaks.peak as integer) as peak
from named as sums
inner join peaks on sums.slot = peaks.slot
left join lines as line on sums.line = line.line
{% if is_increment() %}
where {{ date_key("(date '1970-01-01' + cast(sums.half_hour // 48 as integer))") }} in (select date_key from {{ affected }})
{% endif %}
