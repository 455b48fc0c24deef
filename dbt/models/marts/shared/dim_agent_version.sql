{{ config(materialized='changing', key='agent_key', lake_table='agents') }}
{{ versions_of('agents', 'agent_key', {
  'code': 'code',
  'unit_id': 'branch_key',
  'hired_on': 'hired_on',
  'left_on': 'left_on',
}) }}
