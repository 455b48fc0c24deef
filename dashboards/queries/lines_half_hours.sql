-- Lines of all trunks and of the IVR by day and half-hour: the peak and the mean in use.
select
  dim_date.date as day,
  half_hour.label as half_hour,
  line.resource,
  line.calls,
  line.recordings,
  line.busy_seconds,
  line.peak
from fct_line_half_hour as line
inner join dim_date on line.date_key = dim_date.date_key
inner join dim_half_hour as half_hour on line.half_hour_key = half_hour.half_hour_key
where
  line.line_code = 'all'
  and line.date_key between $first and $last
order by day, half_hour
