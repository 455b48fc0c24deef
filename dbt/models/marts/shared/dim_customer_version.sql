{{ config(materialized='changing', key='customer_key', lake_table='customers') }}
{{ versions_of('customers', 'customer_key', {
  'kind': 'kind',
  'key_level': 'key_level',
  'status': 'status',
  'unit_id': 'branch_key',
  'township_id': 'township_key',
  'leave_reason': 'leave_reason',
}) }}
