-- The newest stays of tickets in a state of the loop that ended in the period, and how many there are.
with picked as (
  select span.*, ticket.code as ticket, step.target_seconds
  from fct_ticket_span as span
  inner join fct_ticket as ticket on span.ticket_key = ticket.ticket_key
  left join dim_loop_step as step on span.state = step.state
  where
    span.ended_date_key between $first and $last
    and ($city is null or span.city_code = $city)
    and ($state is null or span.state = $state)
)

select
  (select count(*) from picked) as total,
  picked.ticket,
  picked.state,
  picked.city_code as city,
  picked.started_at,
  picked.ended_at,
  picked.seconds / 3600 as hours_stayed,
  picked.target_seconds / 3600 as target_hours
from picked
order by picked.ended_at desc, picked.ticket desc
limit 500
