-- Seat time by half-hour of the day, in seconds summed over the period's days, and how many days there were.
select
  half_hour.label as half_hour,
  cast(sum(seat.installed_seconds_open) as bigint) as installed,
  sum(seat.occupied_seconds) as occupied,
  sum(seat.on_contact_seconds) as on_contact,
  sum(seat.available_seconds) as available,
  sum(seat.pause_seconds) as pause,
  sum(seat.paid_pause_seconds) as paid_pause,
  count(distinct seat.date_key) as days
from kpi_seat_half_hour as seat
inner join dim_half_hour as half_hour on seat.half_hour_key = half_hour.half_hour_key
where
  seat.is_at_seat
  and seat.date_key between $first and $last
  and ($city is null or seat.city_code = $city)
  and ($centre is null or seat.centre_code = $centre)
group by half_hour.label
order by half_hour.label
