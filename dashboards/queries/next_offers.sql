-- Per product the customers whose best next offer it is.
select
  offer.product_code,
  product.name_zh,
  product.name_en,
  count(*) as customers,
  avg(offer.probability) as probability,
  sum(offer.expected_margin_yuan) as expected_margin_yuan
from fct_next_offer as offer
inner join dim_product as product on offer.product_code = product.product_code
where $city is null or offer.city_code = $city
group by all
order by expected_margin_yuan desc
