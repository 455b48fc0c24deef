{%- set clocks = ref('fct_ticket_sla') -%}
{% if not is_increment() %}
{{ nothing_affected({'date_key': 'integer'}) }}
{% else %}
select date_key from {{ changes_of(clocks) }}
{% endif %}
