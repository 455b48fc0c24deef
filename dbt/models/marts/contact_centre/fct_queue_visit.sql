{{ config(materialized='changing', key='visit_key', affected='affected_visits') }}
with

visits as (
  select * from {{ ref('stg_lake__queue_visits') }}
  {{ only_affected('visit_key', 'affected_visits') }}
),

contacts as (
  select contact_key, channel_code, service_type_code, product_code, branch_key, source
  from {{ ref('stg_lake__contacts') }}
),

segments as (select * from {{ ref('int_contact_centre__segments_summed') }}),

classed as (
  select
    *,
    -- An ending nobody observed is unknown, never guessed; a visit still open is waiting.
    coalesce(exit_class, case when exited_at is null then 'waiting' else 'unknown' end) as class,
    {{ seconds_between('entered_at', 'exited_at') }} as wait,
    {{ seconds_between('exited_at', 'ended_at') }} as conversation
  from visits
)

select
  visit.visit_key,
  visit.contact_key,
  visit.visit_number,
  coalesce(queue.queue_key, -1) as queue_key,
  {{ member('visit.agent_key', 'agent.agent_key') }} as agent_key,
  {{ member('visit.seat_key', 'seat.seat_key') }} as seat_key,
  contact.channel_code,
  coalesce(contact.service_type_code, 'unknown') as service_type_code,
  coalesce(contact.product_code, 'unknown') as product_code,
  coalesce(branch.branch_key, -1) as branch_key,
  coalesce(branch.city_code, 'unknown') as city_code,
  {{ local_date_key('visit.entered_at') }} as date_key,
  {{ local_half_hour_key('visit.entered_at') }} as half_hour_key,
  visit.entered_at,
  visit.exited_at,
  visit.ended_at,
  -- Handle times at completion are a second view: the interval in which the conversation ended.
  {{ local_date_key('visit.ended_at') }} as ended_date_key,
  {{ local_half_hour_key('visit.ended_at') }} as ended_half_hour_key,
  visit.class as exit_class,
  visit.class = 'answered' as is_answered,
  visit.class = 'answered' and visit.ended_at is not null as is_handled,
  visit.class = 'abandoned' as is_abandoned,
  visit.class = 'abandoned' and visit.wait <= {{ short_abandon_seconds() }} as is_short_abandon,
  visit.class = 'answered' and visit.wait <= {{ service_level_seconds() }} as answered_within_target,
  visit.class = 'abandoned' and visit.wait <= {{ service_level_seconds() }} as abandoned_within_target,
  coalesce(visit.class = 'answered' and visit.wait <= queue.target_seconds, false) as answered_within_queue_target,
  coalesce(visit.wait, 0) as wait_seconds,
  -- Where no stretches were recorded (foreign history), the conversation is talk.
  case
    when visit.class = 'answered'
      then coalesce(segment.talk_seconds, visit.conversation - coalesce(segment.hold_seconds, 0), 0)
    else 0
  end as talk_seconds,
  coalesce(segment.hold_seconds, 0) as hold_seconds,
  coalesce(segment.wrap_up_seconds, 0) as wrap_up_seconds,
  visit.is_transferred and visit.class = 'answered' as is_transferred,
  contact.source
from classed as visit
inner join contacts as contact on visit.contact_key = contact.contact_key
left join {{ ref('dim_branch') }} as branch on branch.branch_key = coalesce(contact.branch_key, 0)
left join {{ ref('dim_queue') }} as queue on visit.queue_key = queue.queue_key
left join {{ ref('dim_agent') }} as agent on visit.agent_key = agent.agent_key
left join {{ ref('dim_seat') }} as seat on visit.seat_key = seat.seat_key
left join segments as segment on visit.visit_key = segment.visit_key
