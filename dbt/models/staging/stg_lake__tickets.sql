{{ config(materialized='changing', key='ticket_key', lake_table='tickets') }}
select
  id as ticket_key,
  code as ticket_code,
  kind,
  contact_id as contact_key,
  customer_id as customer_key,
  parent_id as parent_key,
  channel_code,
  service_type_code,
  complaint_type_code,
  product_code,
  unit_id as branch_key,
  township_id as township_key,
  priority,
  state,
  created_at,
  first_response_at,
  first_response_due_at,
  resolved_at,
  resolution_due_at,
  closed_at,
  is_on_behalf,
  source
from {{ current_rows('tickets') }}
where deleted_at is null
