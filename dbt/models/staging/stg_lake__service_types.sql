{{ config(materialized='changing', key='service_type_code', lake_table='service_types', lake_key='code') }}
select
  code as service_type_code,
  parent_code,
  name_zh,
  name_en,
  sort_order
from {{ current_rows('service_types', key='code') }}
where deleted_at is null
