{{ config(materialized='changing', key='contact_key', lake_table='contacts') }}
select
  id as contact_key,
  channel_code,
  direction,
  customer_id as customer_key,
  unit_id as branch_key,
  township_id as township_key,
  service_type_code,
  product_code,
  agent_id as agent_key,
  started_at,
  ended_at,
  outcome,
  is_self_served,
  source
from {{ current_rows('contacts') }}
where deleted_at is null
