-- The newest half-hours of seats behind a mark, and how many there are; a parameter that is NULL filters nothing.
with picked as (
  select each_seat.*, dim_seat.code as seat, dim_half_hour.label as half_hour, dim_date.date as day
  from fct_seat_half_hour as each_seat
  inner join dim_seat on each_seat.seat_key = dim_seat.seat_key
  inner join dim_half_hour on each_seat.half_hour_key = dim_half_hour.half_hour_key
  inner join dim_date on each_seat.date_key = dim_date.date_key
  where
    each_seat.date_key between $first and $last
    and ($city is null or each_seat.city_code = $city)
    and ($half_hour is null or each_seat.half_hour_key = $half_hour)
    and ($centre is null or each_seat.centre_code = $centre)
    and ($seat is null or dim_seat.code = $seat)
)

select
  (select count(*) from picked) as total,
  picked.day,
  picked.half_hour,
  picked.centre_code as centre,
  picked.seat,
  picked.installed_seconds_open,
  picked.occupied_seconds,
  picked.on_contact_seconds,
  picked.available_seconds,
  picked.pause_seconds
from picked
order by picked.date_key desc, picked.half_hour_key desc, picked.seat
limit 500
