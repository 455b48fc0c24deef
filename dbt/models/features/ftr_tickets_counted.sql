-- A ticket is seen as it stood at the as-of: its end counts only if it lies before.
with

seen as (
  select
    day.as_of,
    ticket.customer_key,
    ticket.created_at,
    ticket.is_complaint,
    type.level1_code,
    {{ freshness('ticket.created_at', 'day.midnight') }} as fresh,
    {{ within_days('ticket.created_at', 'day.midnight', 30) }} as is_30d,
    {{ within_days('ticket.created_at', 'day.midnight', 90) }} as is_90d,
    {{ days_between('ticket.created_at', 'day.midnight') }} as days_ago,
    coalesce(ticket.resolved_at < day.midnight, false) or coalesce(ticket.closed_at < day.midnight, false) as is_ended,
    -- Hours to the end, or waited so far.
    {{ seconds_between('ticket.created_at', 'least(coalesce(ticket.resolved_at, ticket.closed_at, day.midnight), day.midnight)') }} / 3600.0 as hours
  from {{ ref('fct_ticket') }} as ticket
  inner join {{ ref('dim_complaint_type') }} as type on ticket.complaint_type_code = type.complaint_type_code
  inner join {{ ref('feature_dates') }} as day
    on ticket.created_at < day.midnight and {{ within_days('ticket.created_at', 'day.midnight', 365) }}
  left join {{ ref('ftr_late_tickets') }} as late on ticket.ticket_key = late.row_key
  where
    ticket.customer_key <> 0
    and {{ is_drawn('ticket.customer_key') }}
    and ticket.kind = 'standard'
    and {{ was_known('late.known_from', 'day.midnight') }}
)

select
  as_of,
  customer_key,
  count(*) filter (where is_90d) as tickets_90d,
  count(*) as tickets_365d,
  count(*) filter (where not is_ended) as open_tickets,
  count(*) filter (where is_30d and is_complaint) as complaints_30d,
  count(*) filter (where is_90d and is_complaint) as complaints_90d,
  count(*) filter (where is_complaint) as complaints_365d,
  count(*) filter (where is_complaint and level1_code = 'signal') as signal_complaints_365d,
  count(*) filter (where is_complaint and level1_code = 'fee') as fee_complaints_365d,
  count(*) filter (where is_complaint and level1_code = 'service') as service_complaints_365d,
  count(*) filter (where is_90d and hours > {{ late_hours() }}) as late_repairs_90d,
  count(*) filter (where hours > {{ late_hours() }}) as late_repairs_365d,
  avg(hours) as mean_hours_to_resolve_365d,
  coalesce(sum(fresh) filter (where is_complaint), 0) as fresh_complaints,
  coalesce(sum(fresh) filter (where hours > {{ late_hours() }}), 0) as fresh_late_repairs,
  min(days_ago) filter (where is_complaint) as days_since_complaint
from seen
group by as_of, customer_key
