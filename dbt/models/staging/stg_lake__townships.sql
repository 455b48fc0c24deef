{{ config(materialized='changing', key='township_key', lake_table='townships') }}
select
  id as township_key,
  code as township_code,
  unit_id as branch_key,
  name_zh,
  name_en
from {{ current_rows('townships') }}
where deleted_at is null
