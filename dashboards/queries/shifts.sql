-- Scheduled time by centre (of the shift's seat) and half-hour of the day, in seconds summed over the period's days.
select
  dim_seat.centre_code as centre,
  half_hour.label as half_hour,
  sum(shift.scheduled_seconds) as scheduled,
  sum(shift.worked_seconds) as worked,
  sum(shift.pause_seconds) as pause,
  sum(shift.absent_seconds) as absent
from fct_shift_half_hour as shift
inner join dim_seat on shift.seat_key = dim_seat.seat_key
inner join dim_half_hour as half_hour on shift.half_hour_key = half_hour.half_hour_key
where
  shift.date_key between $first and $last
  and ($city is null or shift.city_code = $city)
group by dim_seat.centre_code, half_hour.label
order by half_hour.label
