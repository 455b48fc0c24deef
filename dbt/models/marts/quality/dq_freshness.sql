{%- set events = {
  'contacts': [ref('stg_lake__contacts'), 'started_at'],
  'queue_visits': [ref('stg_lake__queue_visits'), 'entered_at'],
  'agent_states': [ref('stg_lake__agent_states'), 'started_at'],
  'tickets': [ref('stg_lake__tickets'), 'created_at'],
  'ticket_events': [ref('stg_lake__ticket_events'), 'occurred_at'],
  'survey_answers': [ref('stg_lake__survey_answers'), 'asked_at'],
} -%}
{% for table, place in events.items() %}
select
  '{{ table }}' as table_name,
  'province' as city_code,
  count(*) as rows_found,
  max({{ place[1] }}) as latest_event_at,
  {{ last_snapshot() }} as loaded_at,
  -- Later than the load that brought it: a clock is wrong.
  coalesce(max({{ place[1] }}) > {{ last_snapshot() }} + interval 1 day, false) as is_ahead
from {{ place[0] }}
{{ 'union all' if not loop.last }}
{% endfor %}
