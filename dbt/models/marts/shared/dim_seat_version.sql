{{ config(materialized='changing', key='seat_key', lake_table='seats') }}
{{ versions_of('seats', 'seat_key', {
  'code': 'code',
  'centre_code': 'centre_code',
  'unit_id': 'branch_key',
  'calendar_code': 'calendar_code',
  'installed_on': 'installed_on',
  'removed_on': 'removed_on',
}) }}
