# ruff: noqa: E501 - tables written as tables
"""Made-up marts of the centre's work: the loop, surveys, lines, what the data-quality page reads, agents' figures."""

#: Runs after the common dimensions and facts; reads their helper tables `days` and `cities`.
CENTRE = """
create table dim_agent as select n as agent_key, format('A{:04d}', n) as code from range(1, 5) as t (n)
union all select 0, 'none';
create table fct_shift_half_hour as
select 1 as agent_key, seat_key, date_key, half_hour_key, city_code, branch_key, 1800 as scheduled_seconds, 1400 as worked_seconds,
  100 as pause_seconds, 80 as paid_pause_seconds, 300 as absent_seconds
from dim_seat, days, dim_half_hour where half_hour_key between 16 and 43 and seat_key between 1 and 9;
create table dim_loop_step as
select * from (values
  ('new', 1, 'province', '待派单', 'New', 1800), ('dispatched', 2, 'branch', '已派单', 'Dispatched', 7200),
  ('in_progress', 4, 'branch', '处理中', 'In progress', 86400), ('pending', 5, 'branch', '挂起', 'Pending', null),
  ('closed', 10, 'province', '已归档', 'Closed', null)
) as t (state, position, side, name_zh, name_en, target_seconds);
create table fct_loop_day as
select date_key, city_code, state, 10 as stays_begun, 10 as stays_ended, 6 as stays_within_target, 10 * position * 5000 as stay_seconds
from days, cities, dim_loop_step;
create table dim_sla_policy as
select * from (values ('complaint', '投诉', 'Complaint', 1, true), ('any', '其他工单', 'Any other ticket', 2, true))
as t (code, name_zh, name_en, sort_order, is_current);
create table fct_ticket_sla as
select code as policy_code, clock, standing, date_key, city_code
from days, cities, dim_sla_policy, (values ('resolution'), ('first_response')) as c (clock),
  (values ('met'), ('met'), ('missed'), ('running')) as s (standing);
create table kpi_clock_day as
select date_key, city_code, policy_code, clock, standing, count(*) as tickets from fct_ticket_sla group by all;
create table fct_backlog_day as
select date_key, city_code, age_band, 3 as tickets_open
from days, cities, (values ('1_day'), ('3_days'), ('older')) as a (age_band);
create table fct_survey_answer as
select 'voice' as channel_code, n as score, date_key, city_code, 1 as agent_key from days, cities, range(1, 6) as t (n)
union all select 'web_chat', null, date_key, city_code, 0 from days, cities;
create table kpi_answer_day as
select date_key, city_code, channel_code, coalesce(score, 0) as score, count(*) as answers from fct_survey_answer group by all;
create table fct_line_half_hour as
select date_key, half_hour_key, resource, line_code, 'province' as city_code, 20 as calls, 12 as recordings,
  3600 + 100 * cast(half_hour_key as int) as busy_seconds, 4 + half_hour_key % 5 as peak
from days, dim_half_hour, (values ('trunk', 'all'), ('trunk', 'trunk1'), ('ivr', 'all')) as l (resource, line_code)
where half_hour_key between 16 and 43;
create table fct_recording_day as
select date_key, 'standard' as rule, 'province' as city_code, 50 as recordings, 9000 as seconds, 40000000 as bytes, 5 as recordings_purged,
  4000000 as bytes_purged from days;
create table dq_freshness as
select 'contacts' as table_name, 'province' as city_code, 1000 as rows_found, timestamptz '2026-11-08 22:00:00+08' as latest_event_at,
  timestamptz '2026-11-09 01:00:00+08' as loaded_at, false as is_ahead;
create table dq_reconciliation as
select 'contacts' as table_name, date_key, 'province' as city_code, 100 as staging_rows, 100 as mart_rows, 100 as figure_rows,
  0.0 as staging_amount, 0.0 as mart_amount from days;
create table dq_load as
select '1' as load_id, 'contacts' as table_name, 'province' as city_code, 1 as epoch, timestamptz '2026-11-09 01:00:00+08' as snapshot_at,
  timestamptz '2026-11-09 01:01:00+08' as completed_at, 1000 as ledger_rows, 1000 as store_rows;
create table dq_restatement as
select 'b2' as build, 'increment' as mode, 'b1' as since_build, 'first' as since_publication, 20261101 as date_key, city_code,
  'complaints' as measure, 3.0 as value_before, 4.0 as value_after, 1.0 as difference from cities;
create table fct_telephony_residual as
select date_key, 'province' as city_code, 100 as calls_in_log, 2 as calls_differing, 120 as visits_in_log, 1 as visits_missing,
  0 as visits_extra, 1 as visits_unknown, 0 as visits_wrong, 12.0 as wait_seconds_differing, 3.0 as talk_seconds_differing from days;
create table fct_import_reject as
select 'bank' as source, 'call' as kind, 'no start' as reason, 20261101 as date_key, city_code from cities;
"""

#: After the KPI tables.
CENTRE_KPIS = """
create table kpi_agent_day as
select * exclude (branch_key, queue_key, service_type_code), 1 + hash(date_key) % 4 as agent_key
from kpi_day where channel_code = 'voice';
"""

FACTS = ("fct_shift_half_hour", "fct_loop_day", "fct_ticket_sla", "kpi_clock_day", "fct_backlog_day", "fct_survey_answer", "kpi_answer_day", "fct_line_half_hour", "fct_recording_day", "dq_freshness",
         "dq_reconciliation", "dq_load", "dq_restatement", "fct_telephony_residual", "fct_import_reject",
         "kpi_agent_day")  # fmt: skip
