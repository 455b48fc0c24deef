# ruff: noqa: E501 - tables written as tables
"""Published marts for tests of pages: made in DuckDB in a moment, with the columns that dbt gives them."""

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from core.kpi import dictionary
from core.settings import Settings
from tests.dashboards.marts_centre import CENTRE, CENTRE_KPIS, FACTS
from tests.dashboards.marts_complaints import COMPLAINT_FACTS, COMPLAINTS
from warehouse.export import fill_up
from warehouse.gate_history import judged, keep
from warehouse.kpi import ASKED
from warehouse.publication import Publication, marts_file, point_to, remember

FIRST, DAYS = date(2026, 8, 31), 70
LAST = FIRST + timedelta(days=DAYS - 1)

_DIMS = """
create schema marts;
use marts;
create table dim_date as
select cast(strftime(day, '%Y%m%d') as int) as date_key, cast(day as date) as date,
  cast(date_trunc('week', day) as date) as week_start, cast(date_trunc('month', day) as date) as month_start
from generate_series($first - interval 40 day, $first + interval 400 day, interval 1 day) as t (day)
union all select 0, null, null, null;
create table dim_half_hour as
select cast(n as tinyint) as half_hour_key, n * 1800 as starts_second,
  format('{:02d}:{:02d}', n // 2, n % 2 * 30) as label from range(48) as t (n);
create table cities as
select * from (values
  (2, 'xian', '西安', 'Xi''an', 900), (3, 'tongchuan', '铜川', 'Tongchuan', 60), (4, 'baoji', '宝鸡', 'Baoji', 260),
  (5, 'xianyang', '咸阳', 'Xianyang', 330), (6, 'weinan', '渭南', 'Weinan', 320), (7, 'yanan', '延安', 'Yan''an', 150),
  (8, 'hanzhong', '汉中', 'Hanzhong', 220), (9, 'yulin', '榆林', 'Yulin', 240), (10, 'ankang', '安康', 'Ankang', 170),
  (11, 'shangluo', '商洛', 'Shangluo', 140), (12, 'yangling', '杨凌', 'Yangling', 30)
) as t (branch_key, city_code, name_zh, name_en, customers);
create table dim_branch as
select branch_key, city_code as code, 'city' as kind, name_zh, name_en, city_code, branch_key * 1000 as sort_order from cities
union all select 1, 'province', 'province', '省公司', 'Provincial company', 'province', 0
union all select 0, 'unknown', 'unknown', '未知', 'Unknown', 'unknown', 999999;
create table dim_channel as
select * from (values
  ('voice', '电话', 'Voice', false, 1), ('web_form', '网页表单', 'Web form', true, 3),
  ('web_chat', '在线客服', 'Web chat', false, 4), ('email', '电子邮件', 'E-mail', true, 6), ('unknown', '未知', 'Unknown', false, 999)
) as t (channel_code, name_zh, name_en, is_written, sort_order);
create table dim_service_type as
select *, service_type_code as top_code from (values
  ('consultation', '咨询', 'Consultation', 1), ('complaint', '投诉', 'Complaint', 4), ('order', '业务受理', 'Order', 6),
  ('unknown', '未知', 'Unknown', 999)
) as t (service_type_code, name_zh, name_en, sort_order);
create table types as
select * from (values
  ('signal', 1, 'signal', null, '信号质量', 'Signal', 1), ('signal.digital_tv', 2, 'signal', 'signal.digital_tv', '数字电视', 'Digital TV', 2),
  ('signal.digital_tv.freezing', 3, 'signal', 'signal.digital_tv', '马赛克卡顿', 'Blocks and freezing', 3),
  ('signal.digital_tv.no_picture', 3, 'signal', 'signal.digital_tv', '无图像', 'No picture', 4),
  ('signal.broadband', 2, 'signal', 'signal.broadband', '宽带', 'Broadband', 5),
  ('signal.broadband.slow', 3, 'signal', 'signal.broadband', '网速慢', 'Slow', 6),
  ('fee', 1, 'fee', null, '资费账务', 'Fees and billing', 7), ('fee.billing', 2, 'fee', 'fee.billing', '账单', 'Bill', 8),
  ('fee.billing.wrong_amount', 3, 'fee', 'fee.billing', '金额有误', 'Wrong amount', 9),
  ('service', 1, 'service', null, '服务质量', 'Service', 10), ('unknown', 1, 'unknown', null, '未分类', 'Unclassified', 99)
) as t (code, level, level1_code, level2_code, name_zh, name_en, sort_order);
create table dim_complaint_type as
select types.code as complaint_type_code, types.level, types.level1_code, one.name_zh as level1_name_zh, one.name_en as level1_name_en,
  types.level2_code, two.name_zh as level2_name_zh, two.name_en as level2_name_en,
  case when types.level = 3 then types.code end as level3_code, case when types.level = 3 then types.name_zh end as level3_name_zh,
  case when types.level = 3 then types.name_en end as level3_name_en, types.sort_order
from types left join types as one on types.level1_code = one.code left join types as two on types.level2_code = two.code;
create table dim_queue as
select * from (values (1, 'fault', '故障报修', 'Faults', 30, false), (2, 'fee', '费用查询', 'Fees', 20, false), (0, 'none', '无', 'None', 20, false))
  as t (queue_key, code, name_zh, name_en, target_seconds, is_priority);
create table dim_seat as
select n as seat_key, format('A{:02d}', n) as code, if(n <= 8, 'xian-1', 'xian-2') as centre_code, 1 as branch_key, 'province' as city_code
from range(1, 13) as t (n) union all select 0, 'none', 'none', 0, 'unknown';
create table dim_customer as
select row_number() over () as customer_key, branch_key, city_code, city_code || '.town' as township_code, name_zh || '镇' as township_name_zh,
  name_en || ' town' as township_name_en, 3000 as monthly_fee_fen, date '2020-01-01' as registered_date, cast(null as date) as left_date
from cities, range(customers) union all select 0, 0, 'unknown', 'unknown', '未知', 'Unknown', 0, null, null;
create table kpi_customer_stay as
select branch_key, city_code, registered_date, left_date, count(*) as customers from dim_customer where customer_key > 0 group by all;
create table dim_customer_group as
select * from (values (1, 'G1', '曲江酒店集团', 2, 'xian', true), (2, 'G2', '宝鸡物业集团', 4, 'baoji', true), (0, 'none', '—', 0, 'unknown', false))
  as t (customer_group_key, code, title, branch_key, city_code, is_active);
create table bridge_customer_group as
select *, timestamptz '2020-01-01 00:00:00+00' as valid_from, timestamptz '9999-12-31 00:00:00+00' as valid_to, true as is_current
from (values (1, 1, 'xian', 0.5), (1, 2, 'xian', 0.5), (2, 1, 'xian', 1.0)) as t (customer_key, customer_group_key, city_code, weight);
create table days as
select date_key, date, dayofweek(date) in (0, 6) as is_weekend, date - $first as day_number
from dim_date where date between $first and $last;
create table fct_ticket as
select row_number() over () as ticket_key, city_code, city_code || '.town' as township_code, 'voice' as channel_code,
  'complaint' as service_type_code, 'unknown' as product_code, branch_key, date_key as created_date_key, code as complaint_type_code,
  true as is_complaint, false as is_open, 'closed' as state, 'captured' as source, customer_key, true as is_dispatched, cast(date as timestamptz) as accepted_at,
  true as is_started, true as is_resolved, true as is_reviewed, true as is_approved, true as is_closed,
  0 as return_count, 0 as rejection_count, 0 as reopen_count, cast(date as timestamptz) + interval 9 hour as created_at, cast(null as timestamptz) as closed_at,
  cast(date as timestamptz) as first_response_at, cast(date as timestamptz) as resolved_at, cast(date as timestamptz) as resolution_due_at
from days, cities, types, (select 1 as customer_key), range(cast(customers * (1 + sort_order % 3) // 200 + (hash(date, city_code, code) % 2) as bigint))
where level = 3 or code in ('service', 'unknown');
create table fct_contact as
select row_number() over () as contact_key, 1 as customer_key, 'consultation' as service_type_code, cast(20 as tinyint) as half_hour_key,
  timezone('Asia/Shanghai', strptime(cast(date_key as varchar), '%Y%m%d')) as started_at, 12.0 as wait_seconds, 90.0 as talk_seconds,
  false as has_ticket, true as is_first_contact, true as has_no_repeat,
  date_key, city_code, code as channel_code, outcome, outcome = 'answered' as is_answered,
  outcome = 'ended_in_ivr' as is_ended_in_ivr, outcome = 'ended_in_ivr' as is_self_served
from days, cities, (values ('voice'), ('web_chat')) as c (code), (values ('answered'), ('answered'), ('abandoned'), ('ended_in_ivr')) as o (outcome);
create table fct_self_service as
select contact_key, customer_key, city_code, 0 as branch_key, channel_code, service_type_code, 'unknown' as product_code, 0 as queue_key,
  0 as agent_key, date_key, half_hour_key, 'captured' as source, started_at,
  if(contact_key % 9 = 0, started_at + interval 1 hour, null) as answered_at
from fct_contact where is_ended_in_ivr and is_self_served;
create table fct_seat_half_hour as
select seat_key, date_key, half_hour_key, city_code, branch_key, centre_code, 1800 as installed_seconds_open,
  if(seat_key <= 9, 1500.0, 0.0) as occupied_seconds, if(seat_key <= 9, 700.0 + hash(half_hour_key, seat_key) % 500, 0) as on_contact_seconds,
  if(seat_key <= 9, 200.0, 0) as available_seconds, if(seat_key <= 9, 100.0, 0) as pause_seconds, if(seat_key <= 9, 80.0, 0) as paid_pause_seconds, 1 as agents
from dim_seat, days, dim_half_hour where half_hour_key between 16 and 43 and seat_key > 0;
create table dim_campaign as
select 1 as campaign_key, 'spring' as code, '春季宽带' as title, 'subscribe' as goal, 'finished' as state, $first as starts_on,
  $first + interval 20 day as ends_on, 10 as holdout_percent, 30 as window_days, cast($first as timestamptz) as approved_at, true as is_window_over;
create table fct_call_list_entry as
select row_number() over () as entry_key, 1 as campaign_key, city_code, n % 10 > 0 as is_assigned, n % 10 > 0 and n % 3 > 0 as is_called,
  n % 10 > 0 and n % 3 > 1 as is_reached, n % 10 > 0 and n % 9 = 2 as is_accepted, if(n % 10 > 0, n % 7 = 0, n % 50 = 0) as is_converted,
  if(n % 7 = 0, 36000, 0) as margin_fen, if(n % 10 > 0 and n % 3 > 0, 300, 0) as cost_fen
from cities, range(customers) as t (n);
create table fct_list_gate as
select 1 as campaign_key, gate, position, customers, 'province' as city_code
from (values ('no_consent', 1, 1600), ('open_complaint', 2, 40), ('eligible', 3, 900), ('capacity', 4, 100)) as g (gate, position, customers);
create table fct_queue_visit as
select date_key, city_code, 'voice' as channel_code, 1 as agent_key, true as is_answered from days, cities;
"""

#: Half-hours of each city and channel; a hash gives them some life.
_CELLS = """
create table kpi_half_hour as
select date_key, half_hour_key, city_code, channel_code, if(channel_code = 'voice', 1 + half_hour_key % 2, 0) as queue_key,
  service_type_code, 'captured' as source, false as is_seat_time,
  {sums}
from (
  select *, cast(customers * if(channel_code = 'voice', 3, 1) * if(is_weekend, 0.6, 1) * (1 + day_number * 0.004)
    * (1 + hash(date, half_hour_key, city_code, channel_code) % 10 / 10.0) / 120 as bigint) as n,
    cast(0.55 + (hash(half_hour_key) % 40) / 100.0 as double) as quality
  from days, dim_half_hour, cities, dim_channel, dim_service_type
  where half_hour_key between 16 and 43 and channel_code <> 'unknown' and service_type_code <> 'unknown'
)
union all
select date_key, half_hour_key, city_code, 'unknown', 0, 'unknown', 'captured', true, {seats}
from fct_seat_half_hour;
create table kpi_day as
select date_key, branch_key, city_code, channel_code, queue_key, service_type_code, source, is_seat_time, {totals}
from kpi_half_hour left join dim_branch using (city_code) group by all;
"""
_CLEAN = "drop table cities;\ndrop table types;\ndrop table days;\n"


_SUMS = {
    "contacts": "n", "offered": "if(channel_code = 'voice', n, 0)", "answered": "if(channel_code = 'voice', n - n // 10, 0)",
    "handled": "if(channel_code = 'voice', n - n // 10, 0)", "abandoned": "if(channel_code = 'voice', n // 10, 0)",
    "answered_within_target": "if(channel_code = 'voice', cast(n * quality as bigint), 0)",
    "answered_wait_seconds": "n * 17.0", "handled_talk_seconds": "n * 180.0", "talk_seconds": "n * 180.0", "hold_seconds": "n * 9.0",
    "wrap_up_seconds": "n * 21.0", "tickets": "n // 5", "complaints": "if(service_type_code = 'complaint', n // 6, 0)",
    "first_contacts": "n", "first_contacts_resolved": "n * 7 // 10", "contacts_in_ivr": "n", "contacts_contained": "n // 5",
    "surveys_answered": "n // 8", "surveys_asked": "n // 4", "score_sum": "n // 8 * 4", "resolution_ended": "n // 5",
    "resolution_met": "n // 6", "tickets_closed": "n // 6", "tickets_reopened": "n // 60", "tickets_timed": "n // 6", "tickets_dispatched": "n // 5", "tickets_returned": "n // 50",
    "tickets_resolved": "n // 6", "tickets_rejected": "n // 60", "first_response_ended": "n // 5", "first_response_met": "n // 6",
    "answered_within_queue_target": "if(channel_code = 'voice', cast(n * quality as bigint), 0)", "transferred": "if(channel_code = 'voice', n // 30, 0)", "hours_to_resolve": "n * 4.0",
}  # fmt: skip
_SEATS = {
    "installed_seconds": "installed_seconds_open", "occupied_seconds": "occupied_seconds", "seat_on_contact_seconds": "on_contact_seconds",
    "on_contact_seconds": "on_contact_seconds", "available_seconds": "available_seconds", "pause_seconds": "pause_seconds",
    "paid_pause_seconds": "paid_pause_seconds", "scheduled_seconds": "if(seat_key <= 9, 1800, 0)",
    "scheduled_worked_seconds": "if(seat_key <= 9, 1400, 0)", "scheduled_pause_seconds": "pause_seconds",
    "scheduled_absent_seconds": "if(seat_key <= 9, 300, 0)",
}  # fmt: skip


_GATE = {"frame": "marts_by_day", "expectation": "expect_column_values_to_be_between", "columns": "offered", "holds": True,
         "rows": DAYS, "severity": "stop"}  # fmt: skip


def _measures() -> list[str]:
    words = {word for kpi in dictionary().values() for word in re.findall("[a-z_]+", kpi.sql)}
    return sorted(words - set(ASKED) - {"nullif"})


def publish_marts(settings: Settings, run_id: str, *, is_empty: bool = False) -> Publication:
    """Publish made-up marts of FIRST to LAST as `run_id`; `is_empty`: all tables, no facts."""
    file = marts_file(settings, run_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    names = _measures()
    listed = {
        "sums": ", ".join(f"cast({_SUMS.get(name, '0')} as double) as {name}" for name in names),
        "seats": ", ".join(f"cast({_SEATS.get(name, '0')} as double)" for name in names),
        "totals": ", ".join(f"sum({name}) as {name}" for name in names),
    }
    with duckdb.connect(str(file)) as connection:
        days = {"$first": f"date '{FIRST}'", "$last": f"date '{LAST}'"}
        script = (
            _DIMS.replace("$first", days["$first"]).replace("$last", days["$last"])
            + CENTRE
            + _CELLS.format(**listed)
            + CENTRE_KPIS
            + COMPLAINTS
            + ";\n"
            + _CLEAN
        )
        for statement in script.split(";\n"):
            if statement.strip():
                connection.execute(statement)
        if is_empty:
            for table in (
                "kpi_day",
                "kpi_half_hour",
                "fct_ticket",
                "fct_contact",
                "fct_seat_half_hour",
                "fct_self_service",
                "fct_queue_visit",
                "dim_campaign",
                "fct_call_list_entry",
                "fct_list_gate",
                "bridge_customer_group",
                *FACTS,
                *COMPLAINT_FACTS,
            ):
                connection.execute(f"delete from {table}")
    fill_up(file)
    return _point(settings, run_id)


def publish_again(made: Path, settings: Settings, run_id: str) -> Publication:
    """Publish the marts of the home `made` once more in another one (or in the same), as `run_id`."""
    file = marts_file(settings, run_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(marts_file(Settings(home=made), "first"), file)
    return _point(settings, run_id)


def _point(settings: Settings, run_id: str) -> Publication:
    publication = Publication(
        run_id=run_id,
        file=marts_file(settings, run_id),
        published_at=datetime.now(UTC),
        data_through=datetime.combine(LAST, datetime.min.time(), UTC) + timedelta(hours=14),
        loaded_at=datetime.combine(LAST, datetime.min.time(), UTC) + timedelta(hours=17),
        row_counts={},
        gates=[_GATE],
    )
    remember(publication)
    keep(settings, judged(run_id, "marts", [_GATE], publication=run_id))
    point_to(settings, publication)
    return publication
