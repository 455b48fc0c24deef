{{ config(materialized='changing', key='ticket_key', affected='affected_tickets') }}
select
  event.ticket_event_key,
  event.ticket_key,
  event.event_number,
  event.kind,
  event.from_state,
  event.to_state,
  event.actor_role,
  coalesce(event.branch_key, 0) as branch_key,
  ticket.city_code,
  {{ local_date_key('event.occurred_at') }} as date_key,
  event.occurred_at
from {{ ref('stg_lake__ticket_events') }} as event
inner join (
  select ticket_key, city_code from {{ ref('fct_ticket') }}
  {{ only_affected('ticket_key', 'affected_tickets') }}
) as ticket on event.ticket_key = ticket.ticket_key
{{ only_affected('event.ticket_key', 'affected_tickets') }}
