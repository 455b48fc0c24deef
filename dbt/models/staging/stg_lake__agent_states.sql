{{ config(materialized='layered', key='agent_state_id', lake_table='agent_states') }}
select
  id as agent_state_id,
  agent_id as agent_key,
  seat_id as seat_key,
  call_id as call_key,
  state,
  pause_reason,
  pause_paid,
  started_at,
  ended_at,
  source,
  deleted_at is not null as is_gone
from {{ layer('agent_states') }}
