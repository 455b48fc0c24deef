-- One row a day of the batch's contacts.
select
  cast(cast(started_at as timestamp) as date) as day,
  count(*) as contacts,
  count(*) filter (where started_at is null) as without_start,
  count(*) filter (where ended_at < started_at) as ended_before_start,
  count(*) filter (where started_at > $snapshot_at + interval 1 day) as in_the_future,
  count(*) filter (where channel_code is null or outcome is null) as without_channel_or_outcome,
  min(id) filter (where ended_at < started_at or started_at > $snapshot_at + interval 1 day) as example_id
from batch_contacts
group by 1
order by 1
