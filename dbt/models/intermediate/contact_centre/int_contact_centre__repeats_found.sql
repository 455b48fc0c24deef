{%- set affected_only = only_affected('contact_key', 'affected_contacts') -%}
-- First-contact resolution: narrow columns only, since this is the one window over all contacts.
with

asked as (
  select
    contact_key,
    epoch_us(started_at) as started_us,
    lag(epoch_us(started_at)) over same_matter as before_us,
    lead(epoch_us(started_at)) over same_matter as after_us,
    ({{ last_asked_us() }}) as last_us
  from {{ ref('stg_lake__contacts') }}
  where customer_key is not null and direction = 'in' and outcome <> 'blocked'
  {% if affected_only | trim %}
  {%- set affected = 'from ' ~ ref('stg_lake__contacts') ~ affected_only %}
  -- Of the customers with an affected contact, as far as the seven days reach; nobody asks for other rows.
  and customer_key in (select customer_key {{ affected }})
  and {{ within('started_at', 'select started_at as seen_at ' ~ affected, before='7 day', after='7 day') }}
  {% endif %}
  window same_matter as (
    partition by customer_key, coalesce(service_type_code, 'unknown')
    order by started_at, contact_key
  )
)

select
  contact_key,
  coalesce(started_us - before_us > {{ seven_days_us() }}, true) as is_first_contact,
  -- NULL until the seven days are over.
  case
    when started_us + {{ seven_days_us() }} <= last_us
      then coalesce(after_us - started_us > {{ seven_days_us() }}, true)
  end as has_no_repeat
from asked
