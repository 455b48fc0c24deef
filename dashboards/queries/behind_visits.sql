-- The newest queue visits of a mark, and how many there are; a parameter that is NULL filters nothing.
with picked as (
  select visit.*, dim_queue.code as queue, dim_agent.code as agent
  from fct_queue_visit as visit
  inner join dim_queue on visit.queue_key = dim_queue.queue_key
  inner join dim_agent on visit.agent_key = dim_agent.agent_key
  where
    visit.date_key between $first and $last
    and ($city is null or visit.city_code = $city)
    and ($channel is null or visit.channel_code = $channel)
    and ($queue is null or dim_queue.code = $queue)
    and ($half_hour is null or visit.half_hour_key = $half_hour)
    and ($weekday is null or isodow(strptime(cast(visit.date_key as varchar), '%Y%m%d')) = $weekday)
    and ($agent is null or dim_agent.code = $agent)
    and ($ended is null or $ended = case
      when visit.is_answered then 'answered' when visit.is_abandoned then 'abandoned' else 'other'
    end)
)

select
  (select count(*) from picked) as total,
  picked.contact_key,
  picked.entered_at as started_at,
  picked.queue,
  picked.agent,
  picked.city_code as city,
  picked.exit_class,
  picked.wait_seconds,
  picked.talk_seconds,
  picked.hold_seconds,
  picked.wrap_up_seconds
from picked
order by picked.entered_at desc, picked.visit_key desc
limit 500
