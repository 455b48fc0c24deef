-- The customers at the highest risk of leaving behind a mark, most at risk first, and how many there are.
with picked as (
  select *
  from fct_retention
  where
    ($city is null or city_code = $city)
    and ($remedy is null or remedy = $remedy)
    -- Scores are those of now, whatever the page's period.
    and $first <= $last
)

select
  (select count(*) from picked) as total,
  picked.customer_key,
  picked.city_code as city,
  picked.probability * 100 as leaves,
  picked.yuan_at_risk
from picked
order by picked.yuan_at_risk desc, picked.customer_key
limit 500
