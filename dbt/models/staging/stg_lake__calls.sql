{{ config(materialized='changing', key='call_key', lake_table='calls') }}
select
  id as call_key,
  contact_id as contact_key,
  coalesce(nullif(trunk, ''), 'unknown') as trunk_code,
  started_at,
  ended_at,
  ivr_seconds,
  has_recording
from {{ current_rows('calls') }}
where deleted_at is null
