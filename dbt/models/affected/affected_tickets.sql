{%- set tickets, events, townships = ref('stg_lake__tickets'), ref('stg_lake__ticket_events'), ref('stg_lake__townships') -%}
{%- set customers = arrived_or_gone('stg_lake__customers', 'customer_key') -%}
{%- set service_types, branches = ref('stg_lake__service_types'), changed_branches() -%}
{% if not is_increment() %}
{{ nothing_affected({'ticket_key': 'bigint'}) }}
{% else %}
select ticket_key from {{ changes_of(tickets) }}
union
select ticket_key from {{ changes_of(events) }}
union
select ticket_key from {{ tickets }}
where
  branch_key in ({{ branches }})
  or customer_key in ({{ customers }})
  or township_key in (select township_key from {{ changes_of(townships) }})
  -- Whether a ticket is a complaint hangs on the types above its own.
  or exists (select * from {{ changes_of(service_types) }})
{% endif %}
