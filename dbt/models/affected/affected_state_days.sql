{%- set states = ref('fct_agent_state') -%}
{% if not is_increment() %}
{{ nothing_affected({'date_key': 'integer'}) }}
{% else %}
select distinct date_key from {{ changes_of(states) }}
{% endif %}
