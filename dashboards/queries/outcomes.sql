-- How contacts ended, by channel.
select channel_code as code, outcome, count(*) as contacts
from fct_contact
where date_key between $first and $last and ($city is null or city_code = $city)
group by channel_code, outcome
