{{ config(materialized='changing', key='customer_key', affected='affected_customers') }}
with

flags as (
  select
    account.customer_key,
    {% for product in ['cable_tv', 'digital_tv', 'broadband', 'private_network'] -%}
    bool_or(subscription.product_code = '{{ product }}') as has_{{ product }},
    {% endfor -%}
    sum(subscription.monthly_fee_fen) as monthly_fee_fen
  from {{ ref('stg_lake__subscriptions') }} as subscription
  inner join {{ ref('stg_lake__accounts') }} as account on subscription.account_key = account.account_key
  where subscription.ended_at is null {{ only_affected('account.customer_key', 'affected_customers', 'and') }}
  group by account.customer_key
)

select
  customer.customer_key,
  customer.kind,
  customer.key_level,
  customer.status,
  coalesce(branch.branch_key, -1) as branch_key,
  coalesce(branch.city_code, 'unknown') as city_code,
  coalesce(township.township_code, 'unknown') as township_code,
  coalesce(township.name_zh, '未知') as township_name_zh,
  coalesce(township.name_en, 'Unknown') as township_name_en,
  customer.birth_year,
  {{ local_date('customer.registered_at') }} as registered_date,
  {{ local_date('customer.left_at') }} as left_date,
  customer.leave_reason,
  coalesce(flags.has_cable_tv, false) as has_cable_tv,
  coalesce(flags.has_digital_tv, false) as has_digital_tv,
  coalesce(flags.has_broadband, false) as has_broadband,
  coalesce(flags.has_private_network, false) as has_private_network,
  cast(coalesce(flags.monthly_fee_fen, 0) as bigint) as monthly_fee_fen
from {{ ref('stg_lake__customers') }} as customer
left join {{ ref('dim_branch') }} as branch on branch.branch_key = coalesce(customer.branch_key, 0)
left join {{ ref('stg_lake__townships') }} as township on customer.township_key = township.township_key
left join flags on customer.customer_key = flags.customer_key
{{ only_affected('customer.customer_key', 'affected_customers') }}

{% if not is_increment() %}
union all

select
  0, 'unknown', 'none', 'unknown', 0, 'unknown', 'unknown', '未知', 'Unknown',
  null, null, null, null, false, false, false, false, 0

union all

select
  -1, 'unknown', 'none', 'not_arrived', 0, 'unknown', 'unknown', '未知', 'Unknown',
  null, null, null, null, false, false, false, false, 0
{% endif %}
