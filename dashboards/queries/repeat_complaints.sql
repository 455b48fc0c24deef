-- Complaints of the period, and those of a customer who had complained of the same kind in the 30 days before.
with

complaints as (
  select customer_key, complaint_type_code, created_date_key, created_at
  from fct_ticket
  where
    is_complaint
    and customer_key > 0
    and complaint_type_code <> 'unknown'
    and created_date_key between $before and $last
    and ($city is null or city_code = $city)
),

counted as (
  select
    complaint_type_code,
    created_date_key,
    created_at,
    lag(created_at) over (
      partition by customer_key, split_part(complaint_type_code, '.', 1) order by created_at
    ) as last_at
  from complaints
)

select
  split_part(counted.complaint_type_code, '.', 1) as code,
  any_value(kind.level1_name_zh) as name_zh,
  any_value(kind.level1_name_en) as name_en,
  count(*) as complaints,
  count(*) filter (where counted.created_at - counted.last_at <= interval 30 day) as repeats
from counted
left join dim_complaint_type as kind on counted.complaint_type_code = kind.complaint_type_code
where counted.created_date_key between $first and $last
group by split_part(counted.complaint_type_code, '.', 1)
order by repeats desc
