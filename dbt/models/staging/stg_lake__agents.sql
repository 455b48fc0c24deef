{{ config(materialized='changing', key='agent_key', lake_table='agents') }}
-- Removed ones too: what was done there happened.
select
  id as agent_key,
  code as agent_code,
  unit_id as branch_key,
  hired_on,
  left_on
from {{ current_rows('agents') }}
