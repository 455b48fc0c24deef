{%- set facts = {
  'fct_contact': ['date_key'],
  'fct_queue_visit': ['date_key', 'ended_date_key'],
  'fct_ticket': ['created_date_key'],
  'fct_survey_answer': ['date_key'],
  'fct_import_reject': ['date_key'],
  'fct_seat_half_hour': ['date_key'],
  'fct_agent_state': ['date_key'],
  'fct_shift_half_hour': ['date_key'],
} -%}
{%- set relations = {} -%}
{%- for fact in facts %}{% do relations.update({fact: ref(fact)}) %}{% endfor -%}
{% if not is_increment() %}
{{ nothing_affected({'date_key': 'integer'}) }}
{% else %}
{% for fact, columns in facts.items() %}
{% for column in columns %}
select {{ column }} as date_key from {{ changes_of(relations[fact]) }}
{{ 'union' if not loop.last }}
{% endfor %}
{{ 'union' if not loop.last }}
{% endfor %}
{% endif %}
