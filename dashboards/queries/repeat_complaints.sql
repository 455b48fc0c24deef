-- Complaints of the period by the first level of their type, and how many repeat one of the same level within 30 days.
select
  kind.level1_code as code,
  any_value(kind.level1_name_zh) as name_zh,
  any_value(kind.level1_name_en) as name_en,
  cast(sum(by_day.complaints) as bigint) as complaints,
  cast(sum(by_day.repeats_of_area) as bigint) as repeats
from kpi_repeat_day as by_day
inner join dim_complaint_type as kind on by_day.complaint_type_code = kind.complaint_type_code
where by_day.date_key between $first and $last and ($city is null or by_day.city_code = $city)
group by kind.level1_code
order by repeats desc
