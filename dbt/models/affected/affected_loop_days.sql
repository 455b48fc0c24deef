{%- set spans = ref('fct_ticket_span') -%}
{% if not is_increment() %}
{{ nothing_affected({'date_key': 'integer', 'city_code': 'varchar', 'state': 'varchar'}) }}
{% else %}
select date_key, city_code, state from {{ changes_of(spans) }}
union
select ended_date_key, city_code, state from {{ changes_of(spans) }} where ended_date_key <> 0
{% endif %}
