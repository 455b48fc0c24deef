-- Nearly every contact has one visit: only the others need grouping.
with

visits as not materialized (
  select * from {{ ref('fct_queue_visit') }}
  {{ only_affected('contact_key', 'affected_contacts') }}
),

several as (select distinct contact_key from visits where visit_number <> 1),

grouped as (
  select
    contact_key,
    count(*) as visits,
    arg_max(queue_key, visit_number) as queue_key,
    arg_max(exit_class, visit_number) as exit_class,
    arg_max(agent_key, visit_number) filter (where is_answered) as agent_key,
    sum(wait_seconds) as wait_seconds,
    -- Talk comes from the last answered visit; hold and wrap-up with it.
    arg_max(talk_seconds, visit_number) filter (where is_answered) as talk_seconds,
    arg_max(hold_seconds, visit_number) filter (where is_answered) as hold_seconds,
    arg_max(wrap_up_seconds, visit_number) filter (where is_answered) as wrap_up_seconds
  from visits
  where contact_key in (select contact_key from several)
  group by contact_key
)

select
  contact_key,
  cast(1 as bigint) as visits,
  queue_key,
  exit_class,
  agent_key,
  wait_seconds,
  talk_seconds,
  hold_seconds,
  wrap_up_seconds
from visits
where contact_key not in (select contact_key from several)

union all

select * from grouped
