{{ config(materialized='changing', key='shift_key', lake_table='shifts') }}
select
  id as shift_key,
  agent_id as agent_key,
  seat_id as seat_key,
  starts_at,
  ends_at
from {{ current_rows('shifts') }}
where deleted_at is null
