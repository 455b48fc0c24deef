{{ config(materialized='changing', key='call_key', lake_table='calls') }}
select
  id as call_key,
  contact_id as contact_key,
  ivr_seconds
from {{ current_rows('calls') }}
where deleted_at is null
