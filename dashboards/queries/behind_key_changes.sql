-- The customers for whom a change of key level is proposed, the highest score first, and how many there are.
with picked as (
  select *
  from fct_key_change
  where
    ($city is null or city_code = $city)
    and ($from_level is null or from_level = $from_level)
    and ($to_level is null or to_level = $to_level)
    -- Proposals are those of now, whatever the page's period.
    and $first <= $last
)

select
  (select count(*) from picked) as total,
  picked.customer_key,
  picked.city_code as city,
  picked.score as points_of_one,
  picked.revenue_points,
  picked.outlook_points,
  picked.size_points,
  picked.breadth_points,
  picked.loyalty_points
from picked
order by picked.score desc, picked.customer_key
limit 500
