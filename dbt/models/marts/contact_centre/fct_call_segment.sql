{{ config(materialized='changing', key='call_key', affected='affected_calls') }}
with

-- The contact of a call first: one look-up a stretch instead of two.
calls as materialized (
  select call.call_key, call.contact_key, contact.city_code
  from {{ ref('stg_lake__calls') }} as call
  inner join {{ ref('fct_contact') }} as contact on call.contact_key = contact.contact_key
  {{ only_affected('call.call_key', 'affected_calls') }}
)

select
  segment.segment_key,
  segment.call_key,
  call.contact_key,
  coalesce(segment.visit_key, 0) as visit_key,
  segment.kind,
  {{ member('segment.agent_key', 'agent.agent_key') }} as agent_key,
  call.city_code,
  {{ local_date_key('segment.started_at') }} as date_key,
  segment.started_at,
  coalesce({{ seconds_between('segment.started_at', 'segment.ended_at') }}, 0) as seconds
from {{ ref('stg_lake__call_segments') }} as segment
inner join calls as call on segment.call_key = call.call_key
left join {{ ref('dim_agent') }} as agent on segment.agent_key = agent.agent_key
{{ only_affected('segment.call_key', 'affected_calls') }}
