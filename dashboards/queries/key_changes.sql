-- Proposed changes of key levels by kind.
select from_level, to_level, count(*) as customers, avg(score) as score
from fct_key_change
where $city is null or city_code = $city
group by from_level, to_level
order by customers desc
