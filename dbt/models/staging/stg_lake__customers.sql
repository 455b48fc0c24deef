{{ config(materialized='changing', key='customer_key', lake_table='customers') }}
select
  id as customer_key,
  kind,
  key_level,
  status,
  unit_id as branch_key,
  township_id as township_key,
  birth_year,
  registered_at,
  left_at,
  leave_reason,
  merged_into_id as merged_into_key
from {{ current_rows('customers') }}
where deleted_at is null
