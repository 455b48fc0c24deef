{{ config(materialized='changing', key='sla_policy_key', lake_table='sla_policies') }}
select
  id as sla_policy_key,
  code as sla_policy_code,
  name_zh,
  name_en,
  sort_order,
  is_active,
  service_type_code,
  complaint_type_code,
  product_code,
  channel_code,
  priority,
  is_key_customer,
  unit_id as branch_key,
  calendar_code,
  first_response_seconds,
  resolution_seconds
from {{ current_rows('sla_policies') }}
where deleted_at is null
