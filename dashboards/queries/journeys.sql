-- After a contact on one channel, on which other channel did the customer come next within seven days, whatever about?
-- Inbound contacts of known customers of which the seven days are over.
with

-- part: next_contacts
,

counted as (
  select
    channel,
    next_channel,
    count(*) as contacts
  from lined_up
  where is_followed
  group by all
)

select
  channels.channel_code as from_channel,
  coalesce(following.channel_code, 'none') as to_channel,
  counted.contacts
from counted
inner join channels on counted.channel = channels.channel
left join channels as following on counted.next_channel = following.channel
