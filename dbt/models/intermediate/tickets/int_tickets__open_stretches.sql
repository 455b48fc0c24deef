{{ config(materialized='changing', key='ticket_key', affected='affected_tickets') }}
-- Stretches in which a ticket was open, cut where its age passes into the next band; days whose end lies within.
with

tickets as (
  select ticket_key, branch_key, city_code, created_at, is_open, closed_at, resolved_at from {{ ref('fct_ticket') }}
  {{ only_affected('ticket_key', 'affected_tickets') }}
),

endings as (
  select ticket_key, started_at, ended_at from {{ ref('fct_ticket_span') }}
  where state in ('closed', 'cancelled') {{ only_affected('ticket_key', 'affected_tickets', 'and') }}
),

stretches as (
  select
    ending.ticket_key,
    coalesce(
      lag(ending.ended_at) over (partition by ending.ticket_key order by ending.started_at), ticket.created_at
    ) as opened_at,
    ending.started_at as ended_at
  from endings as ending
  inner join tickets as ticket on ending.ticket_key = ticket.ticket_key
  union all
  -- Taken up again, and open since.
  select ticket_key, max(ended_at), null
  from endings
  group by ticket_key
  having count(*) filter (where ended_at is null) = 0
  union all
  select ticket_key, created_at, case when not is_open then coalesce(closed_at, resolved_at, created_at) end
  from tickets
  where ticket_key not in (select ticket_key from endings)
),

banded as (
  select
    ticket.ticket_key,
    ticket.branch_key,
    ticket.city_code,
    band.age_band,
    {{ local_date('greatest(stretch.opened_at, ticket.created_at + band.age_from)') }} as first_day,
    {{ local_date('least(stretch.ended_at, ticket.created_at + band.age_to)') }} as end_day
  from stretches as stretch
  inner join tickets as ticket on stretch.ticket_key = ticket.ticket_key
  inner join (
    values
    ('1_day', interval 0 day, interval 1 day),
    ('3_days', interval 1 day, interval 3 day),
    ('7_days', interval 3 day, interval 7 day),
    ('30_days', interval 7 day, interval 30 day),
    ('older', interval 30 day, null)
  ) as band (age_band, age_from, age_to)
    on
      (stretch.ended_at is null or ticket.created_at + band.age_from < stretch.ended_at)
      and (band.age_to is null or ticket.created_at + band.age_to > stretch.opened_at)
)

select ticket_key, branch_key, city_code, age_band, first_day, end_day, count(*) as stretches
from banded
where end_day is null or first_day < end_day
group by all
