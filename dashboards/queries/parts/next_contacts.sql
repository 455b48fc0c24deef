-- Inbound contacts of known customers, each with the next one of the same customer, whatever about. A contact is one
-- number in here, 256 times its start in microseconds and its channel's number: a window over codes and instants takes
-- twice as long. Of a city only its customers are lined up.
channels as materialized (
  select channel_code, cast(row_number() over (order by channel_code) as utinyint) as channel
  from dim_channel
),

packed_contacts as (
  select
    contact.contact_key,
    contact.customer_key,
    epoch_us(contact.started_at) * 256 + channels.channel as packed,
    contact.date_key <= $last and ($city is null or contact.city_code = $city) as is_followed
  from fct_contact as contact
  inner join channels on contact.channel_code = channels.channel_code
  where
    contact.customer_key > 0
    and contact.direction = 'in'
    and contact.outcome <> 'blocked'
    and contact.date_key between $first and $through
    and (
      $city is null
      or contact.customer_key in (
        select customer_key from fct_contact where date_key between $first and $last and city_code = $city
      )
    )
),

lined_up as (
  select
    contact_key,
    is_followed,
    packed % 256 as channel,
    case when following // 256 - packed // 256 <= epoch_us(interval 7 day) then following % 256 end as next_channel,
    (following // 256 - packed // 256) / 3600e6 as hours_between
  from (
    select
      contact_key,
      is_followed,
      packed,
      lead(packed) over (partition by customer_key order by packed // 256, contact_key) as following
    from packed_contacts
  ) as contacts
)
