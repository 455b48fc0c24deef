-- The future, for labels alone: no feature reads this model.
select
  customer.customer_key,
  customer.as_of,
  {{ days_between('customer.midnight', 'later.left_at') }} as leaves_after_days,
  later.leave_reason
from {{ ref('ftr_customers_present') }} as customer
inner join {{ ref('stg_lake__customers') }} as later on customer.customer_key = later.customer_key
where later.left_at is not null and {{ is_drawn('customer.customer_key') }}
