-- The fifth at the highest risk of leaving, by what may help.
select remedy, count(*) as customers, sum(yuan_at_risk) as yuan_at_risk, avg(probability) as probability
from fct_retention
where $city is null or city_code = $city
group by remedy
order by yuan_at_risk desc
