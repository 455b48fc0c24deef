-- Complaints of the period by the first level of their type, and the repeated ones among them.
with

-- part: repeated_complaints

select
  split_part(repeated.complaint_type_code, '.', 1) as code,
  any_value(kind.level1_name_zh) as name_zh,
  any_value(kind.level1_name_en) as name_en,
  sum(repeated.complaints) as complaints,
  sum(repeated.repeats) as repeats
from repeated_complaints as repeated
inner join dim_complaint_type as kind on repeated.complaint_type_code = kind.complaint_type_code
group by split_part(repeated.complaint_type_code, '.', 1)
order by repeats desc
