-- How the clocks of tickets created in the period ended or stand, by service-level policy.
select
  clock.policy_code as code,
  clock.clock,
  clock.standing,
  coalesce(any_value(policy.name_zh), clock.policy_code) as name_zh,
  coalesce(any_value(policy.name_en), clock.policy_code) as name_en,
  coalesce(any_value(policy.sort_order), 999) as sort_order,
  cast(sum(clock.tickets) as bigint) as tickets
from kpi_clock_day as clock
left join (
  select code, any_value(name_zh) as name_zh, any_value(name_en) as name_en, min(sort_order) as sort_order
  from dim_sla_policy
  where is_current
  group by code
) as policy on clock.policy_code = policy.code
where
  clock.date_key between $first and $last
  and ($city is null or clock.city_code = $city)
group by clock.policy_code, clock.clock, clock.standing
