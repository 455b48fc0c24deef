{%- set rejects, branches = ref('stg_lake__import_rejects'), changed_branches() -%}
{% if not is_increment() %}
{{ nothing_affected({'reject_key': 'bigint'}) }}
{% else %}
select reject_key from {{ changes_of(rejects) }}
union
select reject_key from {{ rejects }} where branch_key in ({{ branches }})
{% endif %}
