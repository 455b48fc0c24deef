-- Townships with many complaints of one type on one day: most often an outage.
with

named as (
  select township_code, any_value(township_name_zh) as name_zh, any_value(township_name_en) as name_en
  from dim_customer
  group by township_code
)

select
  dim_date.date as day,
  city.name_zh as city_zh,
  city.name_en as city_en,
  coalesce(named.name_zh, ticket.township_code) as township_zh,
  coalesce(named.name_en, ticket.township_code) as township_en,
  ticket.complaint_type_code as code,
  count(*) as complaints
from fct_ticket as ticket
inner join dim_date on ticket.created_date_key = dim_date.date_key
inner join dim_branch as city on ticket.city_code = city.city_code and city.kind <> 'county'
left join named on ticket.township_code = named.township_code
where
  ticket.is_complaint
  and ticket.township_code <> 'unknown'
  and ticket.created_date_key between $first and $last
  and ($city is null or ticket.city_code = $city)
  and ($type is null or starts_with(ticket.complaint_type_code || '.', $type || '.'))
group by all
having count(*) >= 3
order by complaints desc, day desc
limit 12
