-- How contacts ended, by channel.
select channel_code as code, outcome, cast(sum(contacts) as bigint) as contacts
from kpi_outcome_day
where date_key between $first and $last and ($city is null or city_code = $city)
group by channel_code, outcome
