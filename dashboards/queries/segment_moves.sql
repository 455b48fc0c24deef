-- Customers between segments from the month before to now; −1 is outside (new, lost).
select from_segment, to_segment, sum(customers) as customers
from fct_segment_migration
where to_as_of = (select max(to_as_of) from fct_segment_migration) and ($city is null or city_code = $city)
group by from_segment, to_segment
order by from_segment, to_segment
