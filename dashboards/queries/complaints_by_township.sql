-- Complaints of the period in one city by township, below the type that is drilled into (NULL: all).
select
  ticket.township_code as code,
  coalesce(town.name_zh, ticket.township_code) as name_zh,
  coalesce(town.name_en, ticket.township_code) as name_en,
  count(*) as complaints
from fct_ticket as ticket
left join dim_township as town on ticket.township_code = town.township_code
where
  ticket.is_complaint
  and ticket.created_date_key between $first and $last
  and ticket.city_code = $city
  and ($type is null or starts_with(ticket.complaint_type_code || '.', $type || '.'))
group by all
order by complaints desc, code
limit 15
