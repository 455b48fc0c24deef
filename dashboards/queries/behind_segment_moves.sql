-- The customers behind a move between segments from the month before to now, and how many there are.
with picked as (
  select *
  from fct_segment_move
  where
    ($city is null or city_code = $city)
    and ($from_segment is null or from_segment = $from_segment)
    and ($to_segment is null or to_segment = $to_segment)
    -- Segments are those of now and of the month before, whatever the page's period.
    and $first <= $last
)

select
  (select count(*) from picked) as total,
  picked.customer_key,
  picked.city_code as city,
  customer.registered_date as registered
from picked
inner join dim_customer as customer on picked.customer_key = customer.customer_key
order by picked.customer_key
limit 500
