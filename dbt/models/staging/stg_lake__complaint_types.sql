{{ config(materialized='changing', key='complaint_type_code', lake_table='complaint_types', lake_key='code') }}
select
  code as complaint_type_code,
  parent_code,
  level,
  name_zh,
  name_en,
  sort_order
from {{ current_rows('complaint_types', key='code') }}
where deleted_at is null
