{%- set steps = ref('dim_loop_step_version') -%}
{#- Nearly always one version of the process was ever in force: then no ticket's beginning is looked for. -#}
{%- set is_edited = execute and run_query('select count(distinct valid_from) > 1 from ' ~ steps).columns[0].values()[0] -%}
{{ config(materialized='changing', key='ticket_key', affected='affected_tickets') }}
-- From one event to the next the ticket is in one state; the last span is open until something happens.
with

events as (
  select
    ticket_key,
    event_number,
    to_state as state,
    city_code,
    branch_key,
    occurred_at as started_at,
    lead(occurred_at) over (partition by ticket_key order by event_number) as ended_at
    {%- if is_edited %},
    first_value(occurred_at) over (partition by ticket_key order by event_number) as began_at
    {%- endif %}
  from {{ ref('fct_ticket_event') }}
  {{ only_affected('ticket_key', 'affected_tickets') }}
)

select
  event.ticket_key,
  event.event_number as span_number,
  event.state,
  event.branch_key,
  event.city_code,
  {{ local_date_key('event.started_at') }} as date_key,
  {{ local_date_key('event.ended_at') }} as ended_date_key,
  event.started_at,
  event.ended_at,
  {{ seconds_between('event.started_at', 'event.ended_at') }} as seconds,
  event.state not in {{ clock_stops_in() }} as is_clock_running,
  event.ended_at is null as is_open,
  -- A ticket stays with the version under which it began.
  step.target_seconds
from events as event
left join {{ steps }} as step
  on event.state = step.state {%- if is_edited %} and event.began_at >= step.valid_from and event.began_at < step.valid_to {%- endif %}
-- Events at one instant leave no stretch between them, the last one aside.
where event.ended_at is null or event.ended_at > event.started_at
