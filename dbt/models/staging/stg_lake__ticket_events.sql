{{ config(materialized='changing', key='ticket_event_key', lake_table='ticket_events') }}
select
  id as ticket_event_key,
  ticket_id as ticket_key,
  event_number,
  kind,
  from_state,
  to_state,
  occurred_at,
  actor_role,
  unit_id as branch_key
from {{ current_rows('ticket_events') }}
where deleted_at is null
