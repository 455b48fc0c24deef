-- Complaints of the period by type below the drilled one, and how many repeat one of the same kind (two levels) within 30 days.
select complaint_type_code as code, cast(sum(complaints) as bigint) as complaints, cast(sum(repeats_of_kind) as bigint) as repeats
from kpi_repeat_day
where
  date_key between $first and $last
  and ($city is null or city_code = $city)
  and ($type is null or starts_with(complaint_type_code || '.', $type || '.'))
group by complaint_type_code
