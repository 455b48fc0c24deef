-- The newest contacts of a mark, and how many there are; a parameter that is NULL filters nothing.
with picked as (
  select contact.*
  from fct_contact as contact
  inner join dim_service_type as about on contact.service_type_code = about.service_type_code
  where
    contact.date_key between $first and $last
    and ($city is null or contact.city_code = $city)
    and ($channel is null or contact.channel_code = $channel)
    and ($outcome is null or contact.outcome = $outcome)
    and ($service_type is null or about.top_code = $service_type)
    and ($half_hour is null or contact.half_hour_key = $half_hour)
    and ($weekday is null or isodow(strptime(cast(contact.date_key as varchar), '%Y%m%d')) = $weekday)
    and (
      $is_first is null
      or contact.is_first_contact = cast($is_first as boolean) and contact.has_no_repeat is not null
    )
)

select
  (select count(*) from picked) as total,
  picked.contact_key,
  picked.customer_key,
  picked.started_at,
  picked.channel_code as channel,
  picked.service_type_code as service_type,
  picked.city_code as city,
  picked.outcome,
  picked.wait_seconds,
  picked.talk_seconds,
  picked.has_ticket,
  picked.has_no_repeat
from picked
order by picked.started_at desc, picked.contact_key desc
limit 500
