{{ config(materialized='changing', key='date_key', affected='affected_recording_days') }}
with

moves as (
  select {{ local_date_key('recorded_at') }} as date_key, rule, true as is_made, seconds, bytes
  from {{ ref('stg_lake__recordings') }}
  union all
  select {{ local_date_key('purged_at') }}, rule, false, seconds, bytes
  from {{ ref('stg_lake__recordings') }}
  where purged_at is not null
)

select
  date_key,
  rule,
  'province' as city_code,
  count(*) filter (where is_made) as recordings,
  coalesce(sum(seconds) filter (where is_made), 0) as seconds,
  cast(coalesce(sum(bytes) filter (where is_made), 0) as bigint) as bytes,
  count(*) filter (where not is_made) as recordings_purged,
  cast(coalesce(sum(bytes) filter (where not is_made), 0) as bigint) as bytes_purged
from moves
{{ only_affected('date_key', 'affected_recording_days') }}
group by date_key, rule
