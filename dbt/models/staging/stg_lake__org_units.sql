{{ config(materialized='changing', key='branch_key', lake_table='org_units') }}
select
  id as branch_key,
  code as branch_code,
  kind,
  parent_id as parent_key,
  name_zh,
  name_en,
  area_code,
  sort_order
from {{ current_rows('org_units') }}
where deleted_at is null
