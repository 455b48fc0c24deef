{{ config(materialized='changing', key='date_key', affected='affected_journey_days') }}
{%- set affected = ref('affected_journey_days') -%}
{%- set contacts = ref('fct_contact') -%}
-- A contact is one number in here, 256 times its start in microseconds and its channel's number, and so is a customer in
-- a city: a window over codes and instants takes twice as long.
with

channels as materialized (
  select channel_code, cast(row_number() over (order by channel_code) as utinyint) as channel
  from (select distinct channel_code from {{ contacts }}) as codes
),

cities as materialized (
  select city_code, cast(row_number() over (order by city_code) as utinyint) as city
  from (select distinct city_code from {{ contacts }}) as codes
),

packed as (
  select
    contact.contact_key,
    contact.date_key,
    contact.customer_key * 256 + cities.city as who,
    epoch_us(contact.started_at) * 256 + channels.channel as packed
  from {{ contacts }} as contact
  inner join channels on contact.channel_code = channels.channel_code
  inner join cities on contact.city_code = cities.city_code
  where
    {{ is_on_a_journey() }}
    {% if is_increment() %}and {{ within('contact.started_at', ends_of_days(affected), after='7 day') }}{% endif %}
),

lined_up as (
  select
    date_key,
    who % 256 as city,
    packed % 256 as channel,
    case when following // 256 - packed // 256 <= {{ seven_days_us() }} then following % 256 end as next_channel
  from (
    select date_key, who, packed, lead(packed) over (partition by who order by packed // 256, contact_key) as following
    from packed
  ) as followed
),

counted as (
  select date_key, city, channel, next_channel, count(*) as contacts
  from lined_up
  {{ only_affected('date_key', 'affected_journey_days') }}
  group by all
)

select
  counted.date_key,
  cities.city_code,
  channels.channel_code,
  coalesce(following.channel_code, 'none') as next_channel_code,
  counted.contacts
from counted
inner join cities on counted.city = cities.city
inner join channels on counted.channel = channels.channel
left join channels as following on counted.next_channel = following.channel
