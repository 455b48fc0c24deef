-- One row a day of the batch's tickets.
select
  cast(cast(created_at as timestamp) as date) as day,
  count(*) as tickets,
  count(*) filter (where created_at is null) as without_creation,
  count(*) filter (where resolved_at < created_at or closed_at < created_at) as ended_before_creation,
  count(*) filter (where created_at > $snapshot_at + interval 1 day) as in_the_future,
  min(id) filter (where resolved_at < created_at or closed_at < created_at) as example_id
from batch_tickets
group by 1
order by 1
