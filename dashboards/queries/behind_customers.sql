-- The customers of a key level, or those who are members of a group now, and how many there are.
with picked as (
  select customer.*
  from dim_customer as customer
  where
    customer.customer_key > 0
    and ($city is null or customer.city_code = $city)
    and ($key_level is null or customer.key_level = $key_level and customer.left_date is null)
    and (
      $group is null
      or customer.customer_key in (
        select bridge.customer_key
        from bridge_customer_group as bridge
        inner join dim_customer_group as grouped on bridge.customer_group_key = grouped.customer_group_key
        where bridge.is_current and grouped.code = $group
      )
    )
    -- They are those of now, whatever the page's period.
    and $first <= $last
)

select
  (select count(*) from picked) as total,
  picked.customer_key,
  picked.city_code as city,
  picked.kind as customer_kind,
  picked.key_level as level_name,
  picked.registered_date as registered,
  picked.monthly_fee_fen / 100.0 as yuan_a_month
from picked
order by picked.monthly_fee_fen desc, picked.customer_key
limit 500
