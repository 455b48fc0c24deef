-- The plan of every coming half-hour.
select
  day.date as day,
  half_hour.label as half_hour,
  plan.calls_expected,
  plan.calls_staffed_for,
  plan.handle_seconds,
  plan.patience_seconds,
  plan.agents_rostered
from fct_staffing as plan
inner join dim_date as day on plan.date_key = day.date_key
inner join dim_half_hour as half_hour on plan.half_hour_key = half_hour.half_hour_key
order by day.date, plan.half_hour_key
