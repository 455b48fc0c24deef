-- Error and coverage of past forecasts of all queues together, by days ahead.
select days_ahead, calls, wape, baseline_wape, coverage_80
from fct_forecast_error
where queue_key = 0
order by cast(split_part(days_ahead, '-', 1) as integer)
