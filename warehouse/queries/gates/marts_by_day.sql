-- One row a day of the marts: what must add up, and what cannot exceed what.
select
  date_key,
  cast(sum(contacts) as bigint) as contacts,
  cast(sum(offered) as bigint) as offered,
  cast(sum(answered) as bigint) as answered,
  cast(sum(answered_within_target) as bigint) as answered_within_target,
  cast(sum(abandoned) as bigint) as abandoned,
  cast(sum(short_abandoned) as bigint) as short_abandoned,
  cast(
    sum(
      answered + abandoned + timed_out + left_by_key + left_empty + diverted + transferred_waiting + exit_unknown + waiting
    ) - sum(offered) as bigint
  ) as exits_beyond_offered,
  sum(talk_seconds) as talk_seconds,
  sum(answered_wait_seconds) as answered_wait_seconds
from marts.kpi_day
group by date_key
order by date_key
