{%- set calls = ref('stg_lake__calls') -%}
{% if not is_increment() %}
{{ nothing_affected({'date_key': 'integer'}) }}
{% else %}
select {{ local_date_key('started_at') }} as date_key from {{ changes_of(calls) }}
union
select {{ local_date_key(line_ended_at()) }} from {{ changes_of(calls) }}
{% endif %}
