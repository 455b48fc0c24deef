{{ config(materialized='changing', key='sla_policy_key', lake_table='sla_policies') }}
{{ versions_of('sla_policies', 'sla_policy_key', {
  'code': 'code',
  'name_zh': 'name_zh',
  'name_en': 'name_en',
  'sort_order': 'sort_order',
  'is_active': 'is_active',
  'service_type_code': 'service_type_code',
  'complaint_type_code': 'complaint_type_code',
  'product_code': 'product_code',
  'channel_code': 'channel_code',
  'priority': 'priority',
  'is_key_customer': 'is_key_customer',
  'unit_id': 'branch_key',
  'calendar_code': 'calendar_code',
  'first_response_seconds': 'first_response_seconds',
  'resolution_seconds': 'resolution_seconds',
}) }}
