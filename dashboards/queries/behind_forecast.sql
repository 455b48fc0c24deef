-- The coming half-hours of a forecast's mark, with the calls of the four last such weekdays that it was made from (the
-- whole centre's, so only where $history is given), and how many half-hours there are.
with picked as (
  select
    forecast.*,
    day.date as day,
    queue.code as queue,
    half_hour.label as half_hour,
    -- The last same weekday before the day on which the forecast was made.
    day.date - 7 * cast((date_diff('day', forecast.as_of, day.date) + 7) // 7 as integer) as last_day
  from fct_forecast as forecast
  inner join dim_date as day on forecast.date_key = day.date_key
  inner join dim_queue as queue on forecast.queue_key = queue.queue_key
  inner join dim_half_hour as half_hour on forecast.half_hour_key = half_hour.half_hour_key
  where
    forecast.date_key between $first and $last
    and ($queue is null or queue.code = $queue)
    and ($half_hour is null or forecast.half_hour_key = $half_hour)
),

calls as (
  select visit.queue_key, visit.half_hour_key, day.date as day, count(*) as calls
  from fct_queue_visit as visit
  inner join dim_date as day on visit.date_key = day.date_key
  where
    $history is not null
    and visit.visit_number = 1
    and day.date between (select min(last_day) - 21 from picked) and (select max(last_day) from picked)
  group by all
),

counted as (
  select
    picked.queue_key,
    picked.date_key,
    picked.half_hour_key,
    sum(calls.calls) filter (where calls.day = picked.last_day) as last_0,
    sum(calls.calls) filter (where calls.day = picked.last_day - 7) as last_1,
    sum(calls.calls) filter (where calls.day = picked.last_day - 14) as last_2,
    sum(calls.calls) filter (where calls.day = picked.last_day - 21) as last_3
  from picked
  inner join calls on picked.queue_key = calls.queue_key and picked.half_hour_key = calls.half_hour_key
  group by all
),

known as (select min(day) as since from calls)

-- Nobody called in an open half-hour of a day that the marts hold: 0. Of an earlier day nothing is known.
select
  (select count(*) from picked) as total,
  picked.day,
  picked.half_hour,
  picked.queue,
  picked.expected as calls_expected,
  picked.q10 as calls_low,
  picked.q90 as calls_high,
  picked.last_day,
  case when picked.last_day >= known.since then coalesce(counted.last_0, 0) end as calls_last,
  case when picked.last_day - 7 >= known.since then coalesce(counted.last_1, 0) end as calls_last_1,
  case when picked.last_day - 14 >= known.since then coalesce(counted.last_2, 0) end as calls_last_2,
  case when picked.last_day - 21 >= known.since then coalesce(counted.last_3, 0) end as calls_last_3
from picked
cross join known
left join counted
  on
    picked.queue_key = counted.queue_key
    and picked.date_key = counted.date_key
    and picked.half_hour_key = counted.half_hour_key
order by picked.day, picked.half_hour_key, picked.queue
limit 500
