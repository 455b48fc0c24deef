-- Outages that began in the period: the parent ticket of each, with how many complaints hang below it.
select
  dim_date.date as day,
  city.name_zh as city_zh,
  city.name_en as city_en,
  coalesce(town.name_zh, outage.township_code) as township_zh,
  coalesce(town.name_en, outage.township_code) as township_en,
  outage.code as ticket,
  coalesce(step.name_zh, outage.state) as state_zh,
  coalesce(step.name_en, outage.state) as state_en,
  outage.created_at as started_at,
  outage.resolved_at,
  (
    select count(*)
    from fct_ticket as child
    where child.parent_key = outage.ticket_key and child.created_date_key >= outage.created_date_key
  ) as complaints
from fct_ticket as outage
inner join dim_date on outage.created_date_key = dim_date.date_key
inner join dim_branch as city on outage.city_code = city.city_code and city.kind <> 'county'
left join dim_township as town on outage.township_code = town.township_code
left join dim_loop_step as step on outage.state = step.state
where
  outage.kind = 'outage'
  and outage.created_date_key between $first and $last
  and ($city is null or outage.city_code = $city)
order by complaints desc, outage.created_at desc
limit 50
