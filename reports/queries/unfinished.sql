-- Work orders created in some days: how many there are, how many have no first response yet, how many are not resolved
-- yet, how many of these are late.
select
  count(*) as tickets,
  count(*) filter (where is_open and first_response_at is null) as unanswered,
  count(*) filter (where is_open and resolved_at is null) as unresolved,
  count(*) filter (where is_open and resolved_at is null and resolution_due_at < $through) as late
from fct_ticket
where created_date_key between $first and $last
