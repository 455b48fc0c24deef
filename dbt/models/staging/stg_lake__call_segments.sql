{{ config(materialized='layered', key='segment_key', lake_table='call_segments') }}
select
  id as segment_key,
  call_id as call_key,
  visit_id as visit_key,
  kind,
  agent_id as agent_key,
  started_at,
  ended_at,
  deleted_at is not null as is_gone
from {{ layer('call_segments') }}
