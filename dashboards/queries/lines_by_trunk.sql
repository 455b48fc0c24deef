-- Each trunk in the period: calls, hours in use, most at once.
select
  line_code as trunk,
  sum(calls) as calls,
  sum(recordings) as recordings,
  sum(busy_seconds) / 3600.0 as busy_hours,
  max(peak) as peak
from fct_line_half_hour
where
  resource = 'trunk'
  and line_code <> 'all'
  and date_key between $first and $last
group by line_code
order by calls desc
