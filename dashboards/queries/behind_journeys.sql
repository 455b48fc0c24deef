-- The newest contacts after which the customer came on another channel within seven days, and how many there are.
with

-- part: next_contacts
,

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
