{{ config(materialized='changing', key='recording_key', lake_table='recordings') }}
select
  id as recording_key,
  contact_id as contact_key,
  seconds,
  bytes,
  rule,
  recorded_at,
  purged_at
from {{ current_rows('recordings') }}
where deleted_at is null
