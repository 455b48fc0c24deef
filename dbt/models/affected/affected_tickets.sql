{%- set tickets, events, townships = ref('stg_lake__tickets'), ref('stg_lake__ticket_events'), ref('stg_lake__townships') -%}
{%- set customers = arrived_or_gone('stg_lake__customers', 'customer_key') -%}
{%- set service_types, branches = ref('stg_lake__service_types'), changed_branches() -%}
{% if not is_increment() %}
{{ nothing_affected({'ticket_key': 'bigint'}) }}
{% else %}
select ticket_key from {{ changes_of(tickets) }}
union
select ticket_key from {{ changes_of(events) }}
{% if finds('from ' ~ changes_of(service_types)) %}
union
-- Whether a ticket is a complaint hangs on the types above its own.
select ticket_key from {{ tickets }}
{% endif %}
{% if finds(branches) %}
union
select ticket_key from {{ tickets }} where branch_key in ({{ branches }})
{% endif %}
{% if finds(customers) %}
union
select ticket_key from {{ tickets }} where customer_key in ({{ customers }})
{% endif %}
{% if finds('from ' ~ changes_of(townships)) %}
union
select ticket_key from {{ tickets }} where township_key in (select township_key from {{ changes_of(townships) }})
{% endif %}
{% endif %}
