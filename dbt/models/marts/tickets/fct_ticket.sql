{{ config(materialized='changing', key='ticket_key', affected='affected_tickets') }}
select
  ticket.ticket_key,
  ticket.ticket_code as code,
  ticket.kind,
  coalesce(ticket.contact_key, 0) as contact_key,
  {{ member('ticket.customer_key', 'customer.customer_key') }} as customer_key,
  ticket.channel_code,
  ticket.service_type_code,
  coalesce(ticket.complaint_type_code, 'unknown') as complaint_type_code,
  coalesce(ticket.product_code, 'unknown') as product_code,
  coalesce(branch.branch_key, -1) as branch_key,
  coalesce(branch.city_code, 'unknown') as city_code,
  coalesce(township.township_code, 'unknown') as township_code,
  ticket.priority,
  ticket.state,
  {{ local_date_key('ticket.created_at') }} as created_date_key,
  {{ local_half_hour_key('ticket.created_at') }} as half_hour_key,
  ticket.created_at,
  ticket.first_response_at,
  step.dispatched_at,
  step.accepted_at,
  ticket.resolved_at,
  ticket.closed_at,
  ticket.first_response_due_at,
  ticket.resolution_due_at,
  -- An outage's parent ticket is our own; the customers' complaints are its children.
  service_type.top_code = 'complaint' and ticket.kind = 'standard' as is_complaint,
  ticket.state not in ('closed', 'cancelled') as is_open,
  -- NULL while the clock runs, and where the ticket has no such target.
  ticket.first_response_at <= ticket.first_response_due_at as is_first_response_met,
  ticket.resolved_at <= ticket.resolution_due_at as is_resolution_met,
  coalesce(step.dispatch_count, 0) > 0 as is_dispatched,
  coalesce(step.start_count, 0) > 0 as is_started,
  coalesce(step.review_count, 0) > 0 as is_reviewed,
  coalesce(step.approval_count, 0) > 0 as is_approved,
  coalesce(step.resolution_count, 0) > 0 or ticket.resolved_at is not null as is_resolved,
  coalesce(step.closing_count, 0) > 0 or ticket.state = 'closed' as is_closed,
  coalesce(step.reopen_count, 0) as reopen_count,
  coalesce(step.return_count, 0) as return_count,
  coalesce(step.rejection_count, 0) as rejection_count,
  {{ seconds_between('ticket.created_at', 'ticket.resolved_at') }} / 3600 as hours_to_resolve,
  coalesce(ticket.parent_key, 0) as parent_key,
  ticket.is_on_behalf,
  coalesce(standing.customer_standing_key, 0) as customer_standing_key,
  ticket.source
from {{ ref('stg_lake__tickets') }} as ticket
left join {{ ref('dim_branch') }} as branch on branch.branch_key = coalesce(ticket.branch_key, 0)
inner join {{ ref('dim_service_type') }} as service_type on ticket.service_type_code = service_type.service_type_code
left join {{ ref('stg_lake__customers') }} as customer on ticket.customer_key = customer.customer_key
left join {{ ref('int_tickets__steps_counted') }} as step on ticket.ticket_key = step.ticket_key
left join {{ ref('int_tickets__standings_found') }} as standing on ticket.ticket_key = standing.ticket_key
left join {{ ref('stg_lake__townships') }} as township on ticket.township_key = township.township_key
{{ only_affected('ticket.ticket_key', 'affected_tickets') }}
