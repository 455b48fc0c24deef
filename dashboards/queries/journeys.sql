-- After a contact on one channel, on which other channel did the customer come next within seven days, whatever about?
-- Inbound contacts of known customers of which the seven days are over.
with

-- part: next_contacts

select
  channel_code as from_channel,
  case when next_at - started_at <= interval 7 day then next_channel else 'none' end as to_channel,
  count(*) as contacts
from lined_up
where date_key between $first and $last and ($city is null or city_code = $city)
group by all
