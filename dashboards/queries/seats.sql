-- Each seat's time in the period, in seconds.
select
  dim_seat.centre_code as centre,
  dim_seat.code as seat,
  sum(seat.installed_seconds_open) as installed,
  sum(seat.occupied_seconds) as occupied,
  sum(seat.on_contact_seconds) as on_contact
from fct_seat_half_hour as seat
inner join dim_seat on seat.seat_key = dim_seat.seat_key
where
  seat.seat_key <> 0
  and seat.date_key between $first and $last
  and ($city is null or seat.city_code = $city)
group by dim_seat.centre_code, dim_seat.code
order by dim_seat.centre_code, dim_seat.code
