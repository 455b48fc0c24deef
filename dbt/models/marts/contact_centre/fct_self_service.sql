{{ config(materialized='changing', key='contact_key', affected='affected_self_services') }}
{%- set contacts = ref('fct_contact') -%}
{%- set affected -%}
select started_at as seen_at from {{ contacts }} where contact_key in (select contact_key from {{ ref('affected_self_services') }})
{%- endset -%}
with

served as (
  select
    contact_key,
    customer_key,
    city_code,
    branch_key,
    channel_code,
    service_type_code,
    product_code,
    queue_key,
    agent_key,
    date_key,
    half_hour_key,
    source,
    started_at
  from {{ contacts }}
  where
    is_ended_in_ivr
    and is_self_served
    and customer_key > 0
    {{ only_affected('contact_key', 'affected_self_services', 'and') }}
),

answered as (
  select customer_key, city_code, started_at
  from {{ contacts }}
  where
    is_answered
    and direction = 'in'
    and customer_key > 0
    {% if is_increment() %}and {{ within('started_at', affected, after='1 day') }}{% endif %}
)

select
  served.*,
  case when epoch_us(later.started_at) - epoch_us(served.started_at) <= {{ one_day_us() }} then later.started_at end
    as answered_at
from served
asof left join answered as later
  on
    served.customer_key = later.customer_key
    and served.city_code = later.city_code
    and served.started_at < later.started_at
