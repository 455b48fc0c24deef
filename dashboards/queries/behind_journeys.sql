-- The newest contacts after which the customer came on another channel within seven days, and how many there are.
with

-- part: next_contacts
,

picked as (
  select contact_key, hours_between
  from lined_up
  where
    is_followed
    and channel = (select channel from channels where channel_code = $channel)
    and next_channel = (select channel from channels where channel_code = $next_channel)
)

select
  count(*) over () as total,
  contact.contact_key,
  contact.customer_key,
  contact.started_at,
  $channel as channel,
  contact.city_code as city,
  $next_channel as next_channel,
  picked.hours_between
from picked
inner join fct_contact as contact on picked.contact_key = contact.contact_key
where contact.date_key between $first and $last
order by contact.started_at desc
limit 500
