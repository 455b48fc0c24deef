-- One row a pair of tables that must tell the same sum: facts, and the figures made from them.
with

pairs as (
  select 'contacts by day' as pair, (select count(*) from marts.fct_contact) as facts, (select sum(contacts) from marts.kpi_day) as figures
  union all
  select 'contacts by product', (select count(*) from marts.fct_contact), (select sum(contacts) from marts.kpi_product_day)
  union all
  select 'contacts by agent', (select count(*) from marts.fct_contact), (select sum(contacts) from marts.kpi_agent_day)
  union all
  select 'visits', (select count(*) from marts.fct_queue_visit), (select sum(offered) from marts.kpi_day)
  union all
  select 'visits of contacts', (select count(*) from marts.fct_queue_visit), (select sum(visits) from marts.fct_contact)
  union all
  select 'visits answered', (select count(*) from marts.fct_queue_visit where is_answered), (select sum(answered) from marts.kpi_day)
  union all
  select 'tickets', (select count(*) from marts.fct_ticket), (select sum(tickets) from marts.kpi_day)
  union all
  select 'complaints', (select count(*) from marts.fct_ticket where is_complaint), (select sum(complaints) from marts.kpi_day)
  union all
  select 'surveys answered', (select count(*) from marts.fct_survey_answer where is_answered), (select sum(surveys_answered) from marts.kpi_day)
  union all
  select 'rejected rows', (select count(*) from marts.fct_import_reject), (select sum(rejected) from marts.kpi_day)
  union all
  select
    'seconds on contact',
    (select sum(seconds) from marts.fct_agent_state where state in ('alerting', 'talk', 'hold', 'wrap_up')),
    (select sum(on_contact_seconds) from marts.fct_seat_half_hour)
)

select
  pair,
  cast(coalesce(facts, 0) as double) as facts,
  cast(coalesce(figures, 0) as double) as figures,
  cast(coalesce(figures, 0) as double) - cast(coalesce(facts, 0) as double) as difference
from pairs
order by pair
