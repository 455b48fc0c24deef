{%- set contacts = ref('fct_contact') -%}
{% if not is_increment() %}
{{ nothing_affected({'contact_key': 'bigint'}) }}
{% else %}
select contact_key from {{ changes_of(contacts) }} where is_ended_in_ivr and is_self_served
union
-- Those whom an agent may have answered within 24 hours after.
select served.contact_key
from {{ contacts }} as served
inner join {{ changes_of(contacts) }} as changed
  on
    served.customer_key = changed.customer_key
    and served.started_at < changed.started_at
    and epoch_us(changed.started_at) - epoch_us(served.started_at) <= {{ one_day_us() }}
where
  served.is_ended_in_ivr
  and served.is_self_served
  and served.customer_key > 0
  and changed.is_answered
  and {{ within('served.started_at', 'select started_at as seen_at from ' ~ changes_of(contacts), before='1 day') }}
{% endif %}
