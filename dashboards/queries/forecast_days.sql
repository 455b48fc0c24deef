-- Calls expected by day and queue.
select
  day.date as day,
  queue.code,
  queue.name_zh,
  queue.name_en,
  sum(forecast.expected) as calls
from fct_forecast as forecast
inner join dim_queue as queue on forecast.queue_key = queue.queue_key
inner join dim_date as day on forecast.date_key = day.date_key
group by all
order by day.date, queue.code
