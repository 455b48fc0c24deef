-- Scheduled time, taken apart by half-hours, is that of the shifts; and nobody works more in shifts than at all.
with

shifts as (
  select agent_key, sum(end_us - start_us) / 1000000.0 as seconds
  from {{ ref('int_contact_centre__shifts_merged') }}
  where agent_key in (select agent_key from {{ ref('dim_agent') }})
  group by agent_key
),

halves as (
  select agent_key, sum(scheduled_seconds) as seconds from {{ ref('fct_shift_half_hour') }} group by agent_key
),

worked as (
  select agent_key, date_key, sum(worked_seconds + pause_seconds) as seconds
  from {{ ref('fct_shift_half_hour') }}
  {{ only_affected('date_key', 'affected_shift_days') }}
  group by agent_key, date_key
),

logged_in as (
  select agent_key, date_key, sum(logged_in_seconds) as seconds
  from {{ ref('int_contact_centre__agent_days_measured') }}
  {{ only_affected('date_key', 'affected_shift_days') }}
  group by agent_key, date_key
)

select coalesce(shifts.agent_key, halves.agent_key) as agent_key, 0 as date_key, shifts.seconds, halves.seconds as seconds_found
from shifts
full outer join halves on shifts.agent_key = halves.agent_key
where abs(coalesce(shifts.seconds, 0) - coalesce(halves.seconds, 0)) > 0.01
union all
select worked.agent_key, worked.date_key, logged_in.seconds, worked.seconds
from worked
left join logged_in on worked.agent_key = logged_in.agent_key and worked.date_key = logged_in.date_key
where worked.seconds > coalesce(logged_in.seconds, 0) + 0.01
