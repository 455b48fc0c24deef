{{ config(materialized='changing', key='account_key', lake_table='accounts') }}
select
  id as account_key,
  customer_id as customer_key,
  status,
  opened_at,
  closed_at
from {{ current_rows('accounts') }}
where deleted_at is null
