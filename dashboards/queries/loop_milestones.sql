-- Tickets created in the period, and how many of them came how far.
select
  cast(coalesce(sum(created), 0) as bigint) as created,
  cast(coalesce(sum(answered_at_once), 0) as bigint) as answered_at_once,
  cast(coalesce(sum(dispatched), 0) as bigint) as dispatched,
  cast(coalesce(sum(accepted), 0) as bigint) as accepted,
  cast(coalesce(sum(started), 0) as bigint) as started,
  cast(coalesce(sum(resolved), 0) as bigint) as resolved,
  cast(coalesce(sum(reviewed), 0) as bigint) as reviewed,
  cast(coalesce(sum(approved), 0) as bigint) as approved,
  cast(coalesce(sum(closed), 0) as bigint) as closed,
  cast(coalesce(sum(returned), 0) as bigint) as returned,
  cast(coalesce(sum(rejected), 0) as bigint) as rejected,
  cast(coalesce(sum(reopened), 0) as bigint) as reopened,
  cast(coalesce(sum(cancelled), 0) as bigint) as cancelled
from kpi_milestone_day
where date_key between $first and $last and ($city is null or city_code = $city)
