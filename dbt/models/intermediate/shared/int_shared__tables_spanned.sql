{{ config(materialized='table') }}
{#- Table -> its instant, and the instant at which a row may reach on. An increment looks at what moved only, unless the
    row at an end went and none took its place. -#}
{%- set tables = {
  'contacts': [ref('stg_lake__contacts'), 'started_at', 'started_at'],
  'queue_visits': [ref('stg_lake__queue_visits'), 'entered_at', 'entered_at'],
  'agent_states': [ref('stg_lake__agent_states'), 'started_at', 'coalesce(ended_at, started_at)'],
  'tickets': [ref('stg_lake__tickets'), 'created_at', 'created_at'],
  'ticket_events': [ref('stg_lake__ticket_events'), 'occurred_at', 'occurred_at'],
  'survey_answers': [ref('stg_lake__survey_answers'), 'asked_at', 'asked_at'],
  'import_rejects': [ref('stg_lake__import_rejects'), 'started_at', 'started_at'],
} -%}
{% for name, place in tables.items() %}
{%- set at, until = place[1], place[2] -%}
{%- if is_increment() -%}
{%- set moved -%}
select
  count(*) filter (where is_new) - count(*) filter (where not is_new) as rows_more,
  min({{ at }}) filter (where is_new) as first_came,
  max({{ at }}) filter (where is_new) as last_came,
  max({{ until }}) filter (where is_new) as end_came,
  min({{ at }}) filter (where not is_new) as first_gone,
  max({{ at }}) filter (where not is_new) as last_gone,
  max({{ until }}) filter (where not is_new) as end_gone
from {{ changes_of(place[0]) }}
{%- endset -%}
{%- set an_end_went -%}
from {{ this }} as before, ({{ moved }}) as moved
where
  before.table_name = '{{ name }}'
  and (
    (first_gone <= first_at and coalesce(first_came > first_at, true))
    or (last_gone >= last_at and coalesce(last_came < last_at, true))
    or (end_gone >= last_end_at and coalesce(end_came < last_end_at, true))
  )
{%- endset -%}
{%- endif -%}
{% if is_increment() and not finds(an_end_went) %}
select
  before.table_name,
  before.rows_found + moved.rows_more as rows_found,
  least(before.first_at, moved.first_came) as first_at,
  greatest(before.last_at, moved.last_came) as last_at,
  greatest(before.last_end_at, moved.end_came) as last_end_at
from {{ this }} as before
cross join ({{ moved }}) as moved
where before.table_name = '{{ name }}'
{% else %}
select
  '{{ name }}' as table_name,
  count(*) as rows_found,
  min({{ at }}) as first_at,
  max({{ at }}) as last_at,
  max({{ until }}) as last_end_at
from {{ place[0] }}
{% endif %}
{{ 'union all' if not loop.last }}
{% endfor %}
