-- Complaints of some days by complaint type (second level) and city.
select
  coalesce(type.level2_code, type.complaint_type_code) as code,
  any_value(coalesce(type.level2_name_zh, type.level1_name_zh)) as name_zh,
  any_value(coalesce(type.level2_name_en, type.level1_name_en)) as name_en,
  ticket.city_code,
  count(*) as complaints
from fct_ticket as ticket
inner join dim_complaint_type as type on ticket.complaint_type_code = type.complaint_type_code
where ticket.is_complaint and ticket.created_date_key between $first and $last
group by coalesce(type.level2_code, type.complaint_type_code), ticket.city_code
