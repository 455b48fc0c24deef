{{ config(materialized='changing', key='visit_key', lake_table='queue_visits') }}
select
  id as visit_key,
  contact_id as contact_key,
  visit_number,
  queue_id as queue_key,
  agent_id as agent_key,
  seat_id as seat_key,
  entered_at,
  exited_at,
  ended_at,
  exit_class,
  is_transferred
from {{ current_rows('queue_visits') }}
where deleted_at is null
