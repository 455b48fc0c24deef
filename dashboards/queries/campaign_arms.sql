-- What came of one campaign's two arms, by city.
select
  city_code,
  count(*) filter (where is_assigned) as assigned,
  count(*) filter (where is_called) as called,
  count(*) filter (where is_reached) as reached,
  count(*) filter (where is_accepted) as accepted,
  count(*) filter (where is_assigned and is_converted) as converted,
  count(*) filter (where not is_assigned) as held,
  count(*) filter (where not is_assigned and is_converted) as held_converted,
  coalesce(sum(margin_fen) filter (where is_assigned), 0) / 100 as margin_yuan,
  sum(cost_fen) / 100 as cost_yuan
from fct_call_list_entry
where campaign_key = $campaign and ($city is null or city_code = $city)
group by city_code
