{%- set segments, calls, contacts = ref('stg_lake__call_segments'), ref('stg_lake__calls'), ref('fct_contact') -%}
{%- set agents = arrived_or_gone('stg_lake__agents', 'agent_key') -%}
{% if not is_increment() %}
{{ nothing_affected({'call_key': 'bigint'}) }}
{% else %}
select call_key from {{ changes_of(segments) }}
union
select call_key from {{ changes_of(calls) }}
union
select call_key from {{ calls }} where contact_key in (select contact_key from {{ changes_of(contacts) }})
{% if finds(agents) %}
union
select call_key from {{ segments }} where agent_key in ({{ agents }})
{% endif %}
{% endif %}
