{{ config(materialized='changing', key='complaint_type_code', lake_table='complaint_types', lake_key='code') }}
{{ versions_of('complaint_types', 'complaint_type_code', {
  'parent_code': 'parent_code',
  'level': 'level',
  'name_zh': 'name_zh',
  'name_en': 'name_en',
}, lake_key='code') }}
