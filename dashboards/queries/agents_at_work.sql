-- Agents serving or ready to serve by half-hour of the day: seconds summed over the period, and how many days there were.
select
  half_hour.label as half_hour,
  sum(seat.on_contact_seconds + seat.available_seconds) as at_work,
  count(distinct seat.date_key) as days
from kpi_seat_half_hour as seat
inner join dim_half_hour as half_hour on seat.half_hour_key = half_hour.half_hour_key
where
  seat.date_key between $first and $last
  and ($city is null or seat.city_code = $city)
group by half_hour.label
order by half_hour.label
