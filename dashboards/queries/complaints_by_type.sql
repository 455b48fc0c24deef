-- Complaints by day and type, below the type that is drilled into (NULL: all).
select
  dim_date.date as day,
  dim_date.week_start as week,
  ticket.complaint_type_code as code,
  count(*) as complaints
from fct_ticket as ticket
inner join dim_date on ticket.created_date_key = dim_date.date_key
where
  ticket.is_complaint
  and ticket.created_date_key between $first and $last
  and ($city is null or ticket.city_code = $city)
  and ($type is null or starts_with(ticket.complaint_type_code || '.', $type || '.'))
group by dim_date.date, dim_date.week_start, ticket.complaint_type_code
