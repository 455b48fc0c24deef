-- Complaints by day, city and type, below the type that is drilled into (NULL: all).
select
  dim_date.date as day,
  by_day.city_code,
  by_day.complaint_type_code as code,
  sum(by_day.complaints) as complaints
from kpi_complaint_day as by_day
inner join dim_date on by_day.date_key = dim_date.date_key
where
  by_day.date_key between $first and $last
  and by_day.complaint_type_code <> 'unknown'
  and ($city is null or by_day.city_code = $city)
  and ($type is null or starts_with(by_day.complaint_type_code || '.', $type || '.'))
group by all
