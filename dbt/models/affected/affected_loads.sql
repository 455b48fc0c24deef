{% if not is_increment() %}
{{ nothing_affected({'load_id': 'varchar'}) }}
{% else %}
select unnest(loads) as load_id from {{ building() }}
{% endif %}
