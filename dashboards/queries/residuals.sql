-- By day, how the live picture of calls differed from the PBX's own log before the log corrected it.
select
  dim_date.date as day,
  found.calls_in_log,
  found.calls_differing,
  found.visits_in_log,
  found.visits_missing,
  found.visits_extra,
  found.visits_unknown,
  found.visits_wrong,
  found.wait_seconds_differing,
  found.talk_seconds_differing
from fct_telephony_residual as found
inner join dim_date on found.date_key = dim_date.date_key
where found.date_key between $first and $last
order by day
