select
  ticket_key,
  min(occurred_at) filter (where kind = 'dispatched') as dispatched_at,
  min(occurred_at) filter (where kind = 'accepted') as accepted_at,
  count(*) filter (where kind = 'dispatched') as dispatch_count,
  count(*) filter (where kind = 'resolved') as resolution_count,
  count(*) filter (where kind = 'started') as start_count,
  count(*) filter (where kind = 'review_started') as review_count,
  count(*) filter (where kind = 'approved') as approval_count,
  count(*) filter (where kind = 'closed') as closing_count,
  count(*) filter (where kind = 'reopened') as reopen_count,
  count(*) filter (where kind = 'returned') as return_count,
  count(*) filter (where kind = 'rejected') as rejection_count
from {{ ref('stg_lake__ticket_events') }}
{{ only_affected('ticket_key', 'affected_tickets') }}
group by ticket_key
