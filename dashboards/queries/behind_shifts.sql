-- The newest half-hours for which agents were scheduled, and how many there are.
with picked as (
  select
    shift.*, dim_agent.code as agent, dim_seat.centre_code, half_hour.label as half_hour, dim_date.date as day
  from fct_shift_half_hour as shift
  inner join dim_agent on shift.agent_key = dim_agent.agent_key
  inner join dim_seat on shift.seat_key = dim_seat.seat_key
  inner join dim_half_hour as half_hour on shift.half_hour_key = half_hour.half_hour_key
  inner join dim_date on shift.date_key = dim_date.date_key
  where
    shift.date_key between $first and $last
    and ($city is null or shift.city_code = $city)
    and ($centre is null or dim_seat.centre_code = $centre)
    and ($half_hour is null or shift.half_hour_key = $half_hour)
)

select
  (select count(*) from picked) as total,
  picked.day,
  picked.half_hour,
  picked.centre_code as centre,
  picked.agent,
  picked.scheduled_seconds / 60 as scheduled_minutes,
  picked.worked_seconds / 60 as worked_minutes,
  picked.pause_seconds / 60 as pause_minutes,
  picked.absent_seconds / 60 as absent_minutes
from picked
order by picked.date_key desc, picked.half_hour_key desc, picked.agent
limit 500
