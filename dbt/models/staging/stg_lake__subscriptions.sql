{{ config(materialized='changing', key='subscription_key', lake_table='subscriptions') }}
select
  id as subscription_key,
  account_id as account_key,
  product_code,
  monthly_fee_fen,
  points,
  started_at,
  ended_at,
  end_reason
from {{ current_rows('subscriptions') }}
where deleted_at is null
