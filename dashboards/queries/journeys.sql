-- After a contact on one channel, on which other channel did the customer come next within seven days, whatever about?
select channel_code as from_channel, next_channel_code as to_channel, cast(sum(contacts) as bigint) as contacts
from kpi_journey_day
where date_key between $first and $last and ($city is null or city_code = $city)
group by channel_code, next_channel_code
