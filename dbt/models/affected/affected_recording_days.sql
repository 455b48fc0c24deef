{%- set recordings = ref('stg_lake__recordings') -%}
{% if not is_increment() %}
{{ nothing_affected({'date_key': 'integer'}) }}
{% else %}
select {{ local_date_key('recorded_at') }} as date_key from {{ changes_of(recordings) }}
union
select {{ local_date_key('purged_at') }} from {{ changes_of(recordings) }} where purged_at is not null
{% endif %}
