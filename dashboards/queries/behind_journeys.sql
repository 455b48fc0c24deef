-- The newest contacts after which the customer came on another channel within seven days, and how many there are.
with lined_up as (
  select
    contact_key,
    customer_key,
    started_at,
    channel_code,
    city_code,
    date_key,
    lead(channel_code) over customer as next_channel,
    lead(started_at) over customer as next_at
  from fct_contact
  where
    customer_key > 0
    and direction = 'in'
    and outcome <> 'blocked'
    and date_key between $first and $through
  window customer as (partition by customer_key order by started_at, contact_key)
),

picked as (
  select *
  from lined_up
  where
    date_key between $first and $last
    and ($city is null or city_code = $city)
    and channel_code = $channel
    and next_channel = $next_channel
    and next_at - started_at <= interval 7 day
)

select
  (select count(*) from picked) as total,
  picked.contact_key,
  picked.customer_key,
  picked.started_at,
  picked.channel_code as channel,
  picked.city_code as city,
  picked.next_channel as next_channel,
  epoch(picked.next_at - picked.started_at) / 3600 as hours_between
from picked
order by picked.started_at desc
limit 500
