-- One row a day of the batch's captured agent states.
select
  cast(cast(started_at as timestamp) as date) as day,
  count(*) as states,
  count(*) filter (where ended_at < started_at) as ended_before_start,
  count(*) filter (where ended_at - started_at > interval 1 day) as longer_than_a_day,
  min(id) filter (where ended_at < started_at or ended_at - started_at > interval 1 day) as example_id
from batch_agent_states
where source = 'captured'
group by 1
order by 1
