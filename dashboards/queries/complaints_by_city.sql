-- Complaints of the period by city, below the type that is drilled into (NULL: all).
select city_code, sum(complaints) as complaints
from kpi_complaint_day
where
  date_key between $first and $last
  and ($type is null or starts_with(complaint_type_code || '.', $type || '.'))
group by city_code
