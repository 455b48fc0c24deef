{%- set contacts, calls, tickets = ref('stg_lake__contacts'), ref('stg_lake__calls'), ref('stg_lake__tickets') -%}
{%- set asked = ref('int_contact_centre__last_asked') -%}
{%- set visits, townships = ref('fct_queue_visit'), ref('stg_lake__townships') -%}
{%- set agents = arrived_or_gone('stg_lake__agents', 'agent_key') -%}
{%- set customers = arrived_or_gone('stg_lake__customers', 'customer_key') -%}
{%- set branches, before = changed_branches(), previous('fct_contact') -%}
{#- Of these, a row under their key may stand. -#}
{%- set gone_customers = customers ~ ' and not bool_or(is_new)' -%}
{% if not is_increment() %}
{{ nothing_affected({'contact_key': 'bigint'}) }}
{% else %}
select contact_key from {{ changes_of(contacts) }}
union
select contact_key from {{ changes_of(calls) }}
union
select contact_key from {{ changes_of(visits) }}
union
select contact_key from {{ changes_of(tickets) }} where contact_key is not null
{% if finds(branches) %}
union
select contact_key from {{ contacts }} where branch_key in ({{ branches }})
{% endif %}
{% if finds(agents) %}
union
select contact_key from {{ contacts }} where agent_key in ({{ agents }})
{% endif %}
{% if finds(customers) %}
union
-- Whose customer had not arrived.
select contact_key from {{ before }} where customer_key = -1
{% endif %}
{% if finds(gone_customers) %}
union
select contact_key from {{ contacts }} where customer_key in ({{ gone_customers }})
{% endif %}
{% if finds('from ' ~ changes_of(townships)) %}
union
select contact_key from {{ contacts }} where township_key in (select township_key from {{ changes_of(townships) }})
{% endif %}
union
-- Contacts of the same customer on the same matter within seven days: whether they are first, and repeated.
select near.contact_key
from {{ contacts }} as near
inner join {{ changes_of(contacts) }} as changed
  on
    near.customer_key = changed.customer_key
    and coalesce(near.service_type_code, 'unknown') = coalesce(changed.service_type_code, 'unknown')
    and abs(epoch_us(near.started_at) - epoch_us(changed.started_at)) <= {{ seven_days_us() }}
where {{ within('near.started_at', 'select started_at as seen_at from ' ~ changes_of(contacts), before='7 day', after='7 day') }}
union
-- Contacts whose seven days are over now, or no longer.
{%- set ends -%}
select make_timestamptz(least(last_us, last_us_before) - {{ seven_days_us() }}) as seen_at from {{ asked }}
union all
select make_timestamptz(greatest(last_us, last_us_before)) from {{ asked }}
{%- endset %}
select contact_key
from {{ before }}
where
  {{ within('started_at', ends) }}
  and customer_key <> 0
  and direction = 'in'
  and not is_blocked
  and (has_no_repeat is null)
  = (epoch_us(started_at) + {{ seven_days_us() }} <= ({{ last_asked_us() }}))
{% endif %}
