-- The newest half-hours of trunks or of the IVR behind a mark, and how many there are.
with picked as (
  select line.*, dim_date.date as day, half_hour.label as half_hour
  from fct_line_half_hour as line
  inner join dim_date on line.date_key = dim_date.date_key
  inner join dim_half_hour as half_hour on line.half_hour_key = half_hour.half_hour_key
  where
    line.date_key between $first and $last
    and line.line_code = coalesce($line, 'all')
    and ($resource is null or line.resource = $resource)
    and ($half_hour is null or line.half_hour_key = $half_hour)
)

select
  (select count(*) from picked) as total,
  picked.day,
  picked.half_hour,
  picked.calls,
  picked.recordings,
  picked.busy_seconds / 60 as busy_minutes,
  picked.peak
from picked
order by picked.date_key desc, picked.half_hour_key desc
limit 500
