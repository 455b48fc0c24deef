-- Figures of finished days that a build changed: by how much, and which publication readers had seen.
select
  dim_date.date as day,
  log.build,
  log.mode,
  log.since_publication,
  log.city_code,
  log.measure,
  log.value_before,
  log.value_after,
  log.difference
from dq_restatement as log
inner join dim_date on log.date_key = dim_date.date_key
where
  log.date_key between $first and $last
  and ($city is null or log.city_code = $city)
order by log.build desc, abs(log.difference) desc
limit 500
