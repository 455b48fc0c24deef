{{ config(materialized='changing', key='reject_key', lake_table='import_rejects') }}
select
  id as reject_key,
  source,
  kind,
  reason,
  started_at,
  channel_code,
  service_type_code,
  unit_id as branch_key
from {{ current_rows('import_rejects') }}
where deleted_at is null
