-- One row a day of the batch's queue visits.
select
  cast(cast(entered_at as timestamp) as date) as day,
  count(*) as visits,
  count(*) filter (where exited_at < entered_at) as exited_before_entry,
  count(*) filter (where ended_at < exited_at) as ended_before_answer,
  count(*) filter (where exit_class is not null and exited_at is null) as exit_without_time,
  count(*) filter (where contact_id is null or queue_id is null) as without_contact_or_queue,
  min(id) filter (where exited_at < entered_at or ended_at < exited_at) as example_id
from batch_queue_visits
group by 1
order by 1
