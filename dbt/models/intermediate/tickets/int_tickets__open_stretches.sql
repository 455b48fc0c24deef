{{ config(materialized='changing', key='ticket_key', affected='affected_tickets') }}
-- Stretches in which a ticket was open, cut where its age passes into the next band; days whose end lies within.
with

tickets as (
  select
    ticket_key,
    branch_key,
    city_code,
    epoch_us(created_at) as created_us,
    case when not is_open then epoch_us(coalesce(closed_at, resolved_at, created_at)) end as ended_us
  from {{ ref('fct_ticket') }}
  {{ only_affected('ticket_key', 'affected_tickets') }}
),

endings as (
  select ticket_key, epoch_us(started_at) as started_us, epoch_us(ended_at) as ended_us from {{ ref('fct_ticket_span') }}
  where state in ('closed', 'cancelled') {{ only_affected('ticket_key', 'affected_tickets', 'and') }}
),

-- Nearly every ticket ends once at most; the others were taken up again.
reopened as (select distinct ticket_key from endings where ended_us is not null),

again as (select * from endings where ticket_key in (select ticket_key from reopened)),

stretches as (
  select ticket.ticket_key, ticket.created_us as opened_us, ending.started_us as ended_us
  from endings as ending
  inner join tickets as ticket on ending.ticket_key = ticket.ticket_key
  where ending.ticket_key not in (select ticket_key from reopened)
  union all
  select
    ending.ticket_key,
    coalesce(
      lag(ending.ended_us) over (partition by ending.ticket_key order by ending.started_us), ticket.created_us
    ) as opened_us,
    ending.started_us
  from again as ending
  inner join tickets as ticket on ending.ticket_key = ticket.ticket_key
  union all
  -- Taken up again, and open since.
  select ticket_key, max(ended_us), null
  from again
  group by ticket_key
  having count(*) filter (where ended_us is null) = 0
  union all
  select ticket_key, created_us, ended_us
  from tickets
  where ticket_key not in (select ticket_key from endings)
),

-- The bands that a stretch passes through, by number.
passing as (
  select
    ticket.ticket_key,
    ticket.branch_key,
    ticket.city_code,
    ticket.created_us,
    stretch.opened_us,
    stretch.ended_us,
    unnest(range(
      {{ age_band_number('stretch.opened_us - ticket.created_us') }},
      coalesce({{ age_band_number('stretch.ended_us - ticket.created_us - 1') }}, {{ age_bands() | length - 1 }}) + 1
    )) as band
  from stretches as stretch
  inner join tickets as ticket on stretch.ticket_key = ticket.ticket_key
),

banded as (
  select
    ticket_key,
    branch_key,
    city_code,
    case band {% for code, _ in age_bands() %}when {{ loop.index0 }} then '{{ code }}' {% endfor %}end as age_band,
    opened_us,
    {{ local_date_of_us('greatest(opened_us, created_us + ' ~ age_band_edge('band') ~ ')') }} as first_day,
    -- No end where it is open still and in the last band.
    {{ local_date_of_us('least(ended_us, created_us + ' ~ age_band_edge('band + 1') ~ ')') }} as end_day
  from passing
)

-- The opening tells stretches of one ticket apart that lie in the same band and days.
select ticket_key, branch_key, city_code, age_band, opened_us, first_day, end_day
from banded
where end_day is null or first_day < end_day
