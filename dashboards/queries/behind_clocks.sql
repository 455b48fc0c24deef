-- The newest service-level clocks of tickets created in the period, and how many there are.
with picked as (
  select clock.*, ticket.code as ticket, ticket.priority
  from fct_ticket_sla as clock
  inner join fct_ticket as ticket on clock.ticket_key = ticket.ticket_key
  where
    clock.date_key between $first and $last
    and ($city is null or clock.city_code = $city)
    and ($clock is null or clock.clock = $clock)
    and ($policy is null or clock.policy_code = $policy)
    and ($standing is null or clock.standing = $standing)
)

select
  (select count(*) from picked) as total,
  picked.ticket,
  picked.priority,
  picked.city_code as city,
  picked.standing,
  picked.started_at,
  picked.due_at,
  picked.ended_at,
  picked.elapsed_seconds / 3600 as hours_used,
  picked.paused_seconds / 3600 as hours_paused,
  picked.target_seconds / 3600 as target_hours
from picked
order by picked.started_at desc, picked.ticket desc
limit 500
