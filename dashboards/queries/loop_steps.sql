-- Stays in each state of the loop that ended in the period, how long they were, and how many kept to the target.
select
  step.state,
  step.position,
  step.side,
  step.name_zh,
  step.name_en,
  step.target_seconds,
  sum(loop.stays_ended) as stays,
  sum(loop.stays_within_target) as within_target,
  sum(loop.stay_seconds) as seconds
from dim_loop_step as step
inner join fct_loop_day as loop on step.state = loop.state
where
  loop.date_key between $first and $last
  and step.state not in ('closed', 'cancelled')
  and ($city is null or loop.city_code = $city)
group by all
having sum(loop.stays_ended) > 0
order by step.position
