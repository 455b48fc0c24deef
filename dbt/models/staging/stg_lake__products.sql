{{ config(materialized='changing', key='product_code', lake_table='products', lake_key='code') }}
select
  code as product_code,
  name_zh,
  name_en,
  sort_order
from {{ current_rows('products', key='code') }}
where deleted_at is null
