-- The tickets that were open when a day ended, by age then, and how many there were.
with

-- Days are local; a ticket is of the band in which its age stood at midnight.
ending as (
  select timezone('Asia/Shanghai', strptime(cast($last as varchar), '%Y%m%d') + interval 1 day) as moment
),

standing as (
  select
    ticket.*,
    span.state as state_then,
    ending.moment,
    epoch(ending.moment) - epoch(ticket.created_at) as age
  from fct_ticket as ticket
  cross join ending
  left join fct_ticket_span as span
    on
      ticket.ticket_key = span.ticket_key
      and span.started_at < ending.moment
      and (span.ended_at is null or span.ended_at >= ending.moment)
  where
    -- A mark is one day's end: the first day is the last one.
    $first <= $last
    and ticket.created_at < ending.moment
    and ($city is null or ticket.city_code = $city)
    and (span.ticket_key is not null or ticket.is_open or coalesce(ticket.closed_at, ticket.resolved_at) >= ending.moment)
),

banded as (
  select
    *,
    case
      when age < 86400 then '1_day'
      when age < 3 * 86400 then '3_days'
      when age < 7 * 86400 then '7_days'
      when age < 30 * 86400 then '30_days'
      else 'older'
    end as age_band
  from standing
  where coalesce(state_then, 'new') not in ('closed', 'cancelled')
),

picked as (select * from banded where $age is null or age_band = $age)

select
  (select count(*) from picked) as total,
  picked.code as ticket,
  picked.created_at as started_at,
  picked.age / 86400 as days_open,
  picked.state_then as state,
  picked.service_type_code as service_type,
  picked.complaint_type_code as type,
  picked.city_code as city,
  picked.priority,
  picked.resolution_due_at as due_at
from picked
order by picked.created_at, picked.ticket_key
limit 500
