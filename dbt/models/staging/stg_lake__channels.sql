{{ config(materialized='changing', key='channel_code', lake_table='channels', lake_key='code') }}
select
  code as channel_code,
  name_zh,
  name_en,
  is_written,
  sort_order
from {{ current_rows('channels', key='code') }}
where deleted_at is null
