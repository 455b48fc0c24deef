-- The process that was there first is the loop; its first version holds from the beginning.
with

activations as (
  select
    version_number,
    activated_at,
    definition,
    row_number() over (order by activated_at, process_version_id) = 1 as is_first,
    lead(activated_at) over (order by activated_at, process_version_id) as next_at
  from {{ ref('stg_lake__process_versions') }}
  where process_code = (select arg_min(process_code, activated_at) from {{ ref('stg_lake__process_versions') }})
),

listed as (
  select *, cast(json_extract(definition, '$.states') as json[]) as states from activations
),

stepped as (
  select *, unnest(range(1, len(states) + 1)) as position from listed
)

select
  cast(version_number as integer) as version_number,
  cast(position as integer) as position,
  json_extract_string(states[position], '$.code') as state,
  json_extract_string(states[position], '$.side') as side,
  json_extract_string(states[position], '$.name_zh') as name_zh,
  json_extract_string(states[position], '$.name_en') as name_en,
  try_cast(json_extract_string(states[position], '$.target_seconds') as integer) as target_seconds,
  case when is_first then timestamptz '1900-01-01 00:00:00+00' else activated_at end as valid_from,
  coalesce(next_at, timestamptz '9999-12-31 00:00:00+00') as valid_to
from stepped
