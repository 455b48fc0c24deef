{{ config(materialized='changing', key='date_key', affected='affected_line_days') }}
-- Lines are looked at every 10 s (a tick): whole numbers, few rows to sort, and a peak that lasts is seen.
{%- set affected = ref('affected_line_days') -%}
{%- set tick_us, ticks = 10000000, 180 %}
with

calls as (
  select
    call_key,
    trunk_code,
    has_recording,
    epoch_us(started_at) + {{ local_offset_us() }} as started_us,
    epoch_us(coalesce(ended_at, started_at)) + {{ local_offset_us() }} as ended_us,
    cast(ivr_seconds * 1000000 as bigint) as ivr_us
  from {{ ref('stg_lake__calls') }}
  {% if is_increment() %}
  where exists (
    select * from {{ affected }} as affected
    where
      affected.date_key between {{ local_date_key('started_at') }}
      and {{ local_date_key(line_ended_at()) }}
  )
  {% endif %}
),

-- A call holds its trunk from the first ring to the end, and an IVR port at its beginning.
held as (
  select 'trunk' as resource, trunk_code as line_code, has_recording, started_us, greatest(ended_us, started_us) as ended_us from calls
  union all
  select 'ivr', 'ivr', false, started_us, started_us + ivr_us from calls where ivr_us > 0
),

ticked as (
  select
    *,
    (started_us + {{ tick_us - 1 }}) // {{ tick_us }} as first_tick,
    greatest((ended_us + {{ tick_us - 1 }}) // {{ tick_us }}, (started_us + {{ tick_us - 1 }}) // {{ tick_us }} + 1) as end_tick
  from held
),

-- Cut at half-hours; nearly none crosses one twice.
pieces as (
  select resource, line_code, first_tick, end_tick, first_tick // {{ ticks }} as half_hour, true as begins, has_recording
  from ticked
  where first_tick // {{ ticks }} = (end_tick - 1) // {{ ticks }}
  union all
  select
    resource,
    line_code,
    greatest(first_tick, half_hour * {{ ticks }}),
    least(end_tick, (half_hour + 1) * {{ ticks }}),
    half_hour,
    half_hour = first_tick // {{ ticks }},
    has_recording
  from (
    select *, unnest(range(first_tick // {{ ticks }}, (end_tick - 1) // {{ ticks }} + 1)) as half_hour
    from ticked
    where first_tick // {{ ticks }} < (end_tick - 1) // {{ ticks }}
  ) as crossing
),

moves as (
  select resource, coalesce(line_code, 'all') as line_code, half_hour, tick, sum(move) as move
  from (
    select resource, line_code, half_hour, first_tick as tick, 1 as move from pieces
    union all
    select resource, line_code, half_hour, end_tick, -1 from pieces
  ) as both_ends
  group by grouping sets ((resource, line_code, half_hour, tick), (resource, half_hour, tick))
),

running as (
  select
    resource,
    line_code,
    half_hour,
    sum(move) over (partition by resource, line_code, half_hour order by tick) as in_use
  from moves
),

peaks as (
  select resource, line_code, half_hour, max(in_use) as peak from running group by resource, line_code, half_hour
),

sums as (
  select
    resource,
    coalesce(line_code, 'all') as line_code,
    half_hour,
    count(*) filter (where begins) as calls,
    count(*) filter (where begins and has_recording) as recordings,
    sum(end_tick - first_tick) * {{ tick_us // 1000000 }} as busy_seconds
  from pieces
  group by grouping sets ((resource, line_code, half_hour), (resource, half_hour))
)

select
  {{ date_key("(date '1970-01-01' + cast(sums.half_hour // 48 as integer))") }} as date_key,
  cast(sums.half_hour % 48 as tinyint) as half_hour_key,
  sums.resource,
  sums.line_code,
  'province' as city_code,
  sums.calls,
  sums.recordings,
  cast(sums.busy_seconds as bigint) as busy_seconds,
  cast(peaks.peak as integer) as peak
from sums
inner join peaks
  on sums.resource = peaks.resource and sums.line_code = peaks.line_code and sums.half_hour = peaks.half_hour
-- An IVR has one line only, which is all of them.
where (sums.resource <> 'ivr' or sums.line_code = 'all')
{% if is_increment() %}
and {{ date_key("(date '1970-01-01' + cast(sums.half_hour // 48 as integer))") }} in (select date_key from {{ affected }})
{% endif %}
