{%- set visits, contacts = ref('stg_lake__queue_visits'), ref('stg_lake__contacts') -%}
{%- set segments, queues = ref('stg_lake__call_segments'), ref('stg_lake__queues') -%}
{%- set branches = changed_branches() -%}
{%- set agents, seats = arrived_or_gone('stg_lake__agents', 'agent_key'), arrived_or_gone('stg_lake__seats', 'seat_key') -%}
{% if not is_increment() %}
{{ nothing_affected({'visit_key': 'bigint'}) }}
{% else %}
select visit_key from {{ changes_of(visits) }}
union
select visit_key from {{ changes_of(segments) }} where visit_key is not null
{% if finds('from ' ~ changes_of(queues)) %}
union
select visit_key from {{ visits }} where queue_key in (select queue_key from {{ changes_of(queues) }})
{% endif %}
{% if finds(agents) %}
union
select visit_key from {{ visits }} where agent_key in ({{ agents }})
{% endif %}
{% if finds(seats) %}
union
select visit_key from {{ visits }} where seat_key in ({{ seats }})
{% endif %}
union
-- A visit carries its contact's channel, type, product, branch and source.
select visit_key from {{ visits }}
where contact_key in (
  select contact_key from {{ changes_of(contacts) }}
  {% if finds(branches) %}
  union all
  select contact_key from {{ contacts }} where branch_key in ({{ branches }})
  {% endif %}
)
{% endif %}
