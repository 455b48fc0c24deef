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
  from {{ ref('fct_ticket_event') }}
  {{ only_affected('ticket_key', 'affected_tickets') }}
)

select
  ticket_key,
  event_number as span_number,
  state,
  branch_key,
  city_code,
  {{ local_date_key('started_at') }} as date_key,
  {{ local_date_key('ended_at') }} as ended_date_key,
  started_at,
  ended_at,
  {{ seconds_between('started_at', 'ended_at') }} as seconds,
  state not in {{ clock_stops_in() }} as is_clock_running,
  ended_at is null as is_open
from events
-- Events at one instant leave no stretch between them, the last one aside.
where ended_at is null or ended_at > started_at
