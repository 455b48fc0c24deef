-- The newest contacts after which the customer came on another channel within seven days, and how many there are; as
-- dbt/models/marts/contact_centre/kpi_journey_day.sql counts them.
with

lined_up as (
  select
    contact_key,
    customer_key,
    city_code,
    channel_code,
    date_key,
    started_at,
    lead(channel_code) over following as next_channel,
    (epoch_us(lead(started_at) over following) - epoch_us(started_at)) / 3600e6 as hours_between
  from fct_contact
  where
    customer_key > 0
    and direction = 'in'
    and outcome <> 'blocked'
    and date_key between $first and $through
    and ($city is null or city_code = $city)
    -- Others' contacts lead nowhere that is asked for.
    and customer_key in (
      select customer_key from fct_contact where date_key between $first and $through and channel_code = $next_channel
    )
  window following as (partition by customer_key, city_code order by started_at, contact_key)
),

picked as (
  select * from lined_up
  where date_key <= $last and channel_code = $channel and next_channel = $next_channel and hours_between <= 7 * 24
)

select
  (select count(*) from picked) as total,
  contact_key,
  customer_key,
  started_at,
  channel_code as channel,
  city_code as city,
  next_channel,
  hours_between
from picked
order by started_at desc
limit 500
