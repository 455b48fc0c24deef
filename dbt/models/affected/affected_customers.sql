{%- set customers, accounts = ref('stg_lake__customers'), ref('stg_lake__accounts') -%}
{%- set subscriptions, townships = ref('stg_lake__subscriptions'), ref('stg_lake__townships') -%}
{%- set branches = changed_branches() -%}
{% if not is_increment() %}
{{ nothing_affected({'customer_key': 'bigint'}) }}
{% else %}
select customer_key from {{ changes_of(customers) }}
union
select customer_key from {{ changes_of(accounts) }}
union
select customer_key from {{ accounts }}
where account_key in (select account_key from {{ changes_of(subscriptions) }})
union
select customer_key from {{ customers }}
where
  branch_key in ({{ branches }})
  or township_key in (select township_key from {{ changes_of(townships) }})
{% endif %}
