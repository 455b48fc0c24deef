-- After a contact on one channel, on which other channel did the customer come next within seven days, whatever about?
-- Inbound contacts of known customers of which the seven days are over.
with

lined_up as (
  select
    channel_code,
    city_code,
    date_key,
    started_at,
    lead(channel_code) over customer as next_channel,
    lead(started_at) over customer as next_at
  from fct_contact
  where
    customer_key > 0
    and direction = 'in'
    and outcome <> 'blocked'
    and date_key between $first and $through
  window customer as (partition by customer_key order by started_at, contact_key)
)

select
  channel_code as from_channel,
  case when next_at - started_at <= interval 7 day then next_channel else 'none' end as to_channel,
  count(*) as contacts
from lined_up
where date_key between $first and $last and ($city is null or city_code = $city)
group by all
