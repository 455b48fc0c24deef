{%- set stretches = ref('int_tickets__open_stretches') -%}
{% if not is_increment() %}
{{ nothing_affected({'day': 'date', 'branch_key': 'bigint', 'age_band': 'varchar'}) }}
{% else %}
select first_day as day, branch_key, age_band from {{ changes_of(stretches) }}
union
select end_day, branch_key, age_band from {{ changes_of(stretches) }} where end_day is not null
{% endif %}
