-- The customers whose best next offer a product is, the highest margin first, and how many there are.
with picked as (
  select *
  from fct_next_offer
  where
    ($city is null or city_code = $city)
    and ($product is null or product_code = $product)
    -- Scores are those of now, whatever the page's period.
    and $first <= $last
)

select
  (select count(*) from picked) as total,
  picked.customer_key,
  picked.city_code as city,
  picked.probability * 100 as propensity,
  picked.expected_margin_yuan as margin
from picked
order by picked.expected_margin_yuan desc, picked.customer_key
limit 500
