{{ config(materialized='layered', key='ticket_event_key', lake_table='ticket_events') }}
select
  id as ticket_event_key,
  ticket_id as ticket_key,
  event_number,
  kind,
  from_state,
  to_state,
  occurred_at,
  actor_role,
  unit_id as branch_key,
  deleted_at is not null as is_gone
from {{ layer('ticket_events') }}
