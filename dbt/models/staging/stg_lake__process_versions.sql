{{ config(materialized='table') }}
{%- do source('lake', 'process_versions') -%}
{%- set files = lake_files('process_versions', current_loads()) if execute else {} -%}
{%- set paths = files.values() | sum(start=[]) -%}
-- Of all loads: a version that was put back into force keeps only its newest activation in the store.
{% if paths %}
select
  id as process_version_id,
  process_code,
  number as version_number,
  activated_at,
  any_value(definition) as definition
from {{ read_lake(paths) }}
where activated_at is not null and deleted_at is null
group by id, process_code, number, activated_at
{% else %}
select
  cast(null as bigint) as process_version_id,
  cast(null as varchar) as process_code,
  cast(null as bigint) as version_number,
  cast(null as timestamptz) as activated_at,
  cast(null as varchar) as definition
where false
{% endif %}
