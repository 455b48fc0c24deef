{%- set contacts = ref('fct_contact') -%}
{%- set changes = changes_of(contacts) -%}
{% if not is_increment() %}
{{ nothing_affected({'date_key': 'integer'}) }}
{% else %}
with

-- Contacts that came, went, or were of another customer, city, channel or time; what else changed leads nowhere else.
moved as (
  select contact_key, customer_key, city_code, channel_code, date_key, started_at
  from {{ changes }}
  where {{ is_on_a_journey() }}
  group by all
  having count(*) = 1
)

select date_key from moved
union
-- Days of contacts of the same customer that it may follow.
select near.date_key
from {{ contacts }} as near
inner join moved on near.customer_key = moved.customer_key and near.city_code = moved.city_code
where
  epoch_us(moved.started_at) - epoch_us(near.started_at) between 0 and {{ seven_days_us() }}
  and {{ within('near.started_at', 'select started_at as seen_at from ' ~ changes, before='7 day') }}
{% endif %}
