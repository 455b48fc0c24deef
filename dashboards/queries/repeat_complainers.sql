-- Complaints of the period by type below the drilled one, and those whose customer had complained of the same kind
-- (first two levels) in the 30 days before.
with

complaints as (
  select
    complaint_type_code,
    created_date_key,
    created_at,
    lag(created_at) over (
      partition by customer_key, array_to_string(string_split(complaint_type_code, '.')[:2], '.')
      order by created_at
    ) as last_at
  from fct_ticket
  where
    is_complaint
    and customer_key > 0
    and complaint_type_code <> 'unknown'
    and created_date_key between $before and $last
    and ($city is null or city_code = $city)
    and ($type is null or starts_with(complaint_type_code || '.', $type || '.'))
)

select
  complaint_type_code as code,
  count(*) as complaints,
  count(*) filter (where created_at - last_at <= interval 30 day) as repeats
from complaints
where created_date_key between $first and $last
group by complaint_type_code
