-- Inbound contacts of known customers, each with the next one of the same customer, whatever about.
lined_up as (
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
)
