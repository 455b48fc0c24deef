with

held as (
  select
    day.as_of,
    day.midnight,
    account.customer_key,
    subscription.product_code,
    subscription.monthly_fee_fen,
    subscription.points,
    subscription.started_at
  from {{ ref('stg_lake__subscriptions') }} as subscription
  inner join {{ ref('stg_lake__accounts') }} as account on subscription.account_key = account.account_key
  inner join {{ ref('feature_dates') }} as day
    on subscription.started_at < day.midnight and (subscription.ended_at is null or subscription.ended_at >= day.midnight)
)

select
  as_of,
  customer_key,
  count(distinct product_code) as products,
  {% for product in ['cable_tv', 'digital_tv', 'broadband', 'private_network'] -%}
  bool_or(product_code = '{{ product }}') as has_{{ product }},
  {% endfor -%}
  count(*) as subscriptions,
  sum(points) as points,
  sum(monthly_fee_fen) / 100.0 as monthly_fee_yuan,
  min({{ days_between('started_at', 'midnight') }}) as newest_product_days
from held
group by as_of, customer_key
