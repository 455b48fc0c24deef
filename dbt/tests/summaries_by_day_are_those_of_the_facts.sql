-- What pages count by day is what the facts hold: outcomes, answers, clocks, milestones, journeys and repeated complaints.
with

counted as (
  select 'outcomes' as what, date_key, contacts as number from {{ ref('kpi_outcome_day') }}
  union all
  select 'answers', date_key, answers from {{ ref('kpi_answer_day') }}
  union all
  select 'clocks', date_key, tickets from {{ ref('kpi_clock_day') }}
  union all
  select 'milestones', date_key, created from {{ ref('kpi_milestone_day') }}
  union all
  select 'journeys', date_key, contacts from {{ ref('kpi_journey_day') }}
  union all
  select 'repeats', date_key, complaints from {{ ref('kpi_repeat_day') }}
  union all
  select 'seats', date_key, installed_seconds_open from {{ ref('kpi_seat_half_hour') }}
  union all
  select 'customers', cast(strftime(registered_date, '%Y%m%d') as integer), customers from {{ ref('kpi_customer_stay') }}
),

facts as (
  select 'outcomes' as what, date_key, count(*) as number from {{ ref('fct_contact') }} group by date_key
  union all
  select 'answers', date_key, count(*) from {{ ref('fct_survey_answer') }} group by date_key
  union all
  select 'clocks', date_key, count(*) from {{ ref('fct_ticket_sla') }} group by date_key
  union all
  select 'milestones', created_date_key, count(*) from {{ ref('fct_ticket') }} where source = 'captured' group by created_date_key
  union all
  select 'journeys', date_key, count(*) from {{ ref('fct_contact') }} where {{ is_on_a_journey() }} group by date_key
  union all
  select 'repeats', created_date_key, count(*) from {{ ref('fct_ticket') }}
  where {{ is_complaint_of_a_kind() }}
  group by created_date_key
  union all
  select 'seats', date_key, sum(installed_seconds_open) from {{ ref('fct_seat_half_hour') }} group by date_key
  union all
  select 'customers', cast(strftime(registered_date, '%Y%m%d') as integer), count(*) from {{ ref('dim_customer') }}
  where customer_key > 0
  group by registered_date
),

sums as (select what, date_key, sum(number) as number from counted group by what, date_key)

select
  what,
  date_key,
  sums.number,
  facts.number as facts
from sums
full join facts using (what, date_key)
where coalesce(sums.number, 0) <> coalesce(facts.number, 0)
