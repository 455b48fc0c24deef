{{ config(materialized='table') }}
select
  branch_key,
  city_code,
  registered_date,
  left_date,
  count(*) as customers
from {{ ref('dim_customer') }}
where customer_key > 0
group by all
