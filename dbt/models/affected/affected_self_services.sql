{%- set contacts = ref('fct_contact') -%}
{% if not is_increment() %}
{{ nothing_affected({'contact_key': 'bigint'}) }}
{% else %}
select contact_key from {{ changes_of(contacts) }} where is_ended_in_ivr and is_self_served
{%- set span = 'select cast(min(started_at) - interval 1 day as varchar), cast(max(started_at) as varchar) from ' ~ changes_of(contacts) %}
{%- set first, last = run_query(span).rows[0] %}
{% if first is not none %}
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
  -- As literals, so that the other months are not read.
  and served.started_at between timestamptz '{{ first }}' and timestamptz '{{ last }}'
{% endif %}
{% endif %}
