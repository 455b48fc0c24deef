{{ config(materialized='changing', key='queue_key', lake_table='queues') }}
-- Removed ones too: what was done there happened.
select
  id as queue_key,
  code as queue_code,
  name_zh,
  name_en,
  is_priority,
  target_seconds,
  calendar_code
from {{ current_rows('queues') }}
