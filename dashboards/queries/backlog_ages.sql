-- Tickets open at the end of each day, by age.
select dim_date.date as day, backlog.age_band, sum(backlog.tickets_open) as tickets
from fct_backlog_day as backlog
inner join dim_date on backlog.date_key = dim_date.date_key
where
  backlog.date_key between $first and $last
  and ($city is null or backlog.city_code = $city)
group by dim_date.date, backlog.age_band
order by day
