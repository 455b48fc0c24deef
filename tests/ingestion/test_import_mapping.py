"""The mapping language fits other centres too: every way to give times, outcomes, agents and queues."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, text

from core.settings import Settings
from ingestion.imports.mapping_file import parse_mapping
from ingestion.imports.run import Summary, import_file


def _mapping(fields: dict[str, Any], **changes: Any) -> dict[str, Any]:
    base = {"source": "other", "kind": "calls", "time_zone": "Asia/Shanghai", "key": ["id"], "calls": fields}
    return base | changes


def _import(store: Engine, home: Settings, folder: Path, mapping: dict[str, Any], rows: list[str]) -> Summary:
    file = folder / "calls.csv"
    file.write_text("\n".join([*rows, ""]), encoding="utf-8")
    # Through the texts that YAML gives, as a person's file would.
    content = yaml.load(yaml.safe_dump(mapping), Loader=yaml.BaseLoader)
    return import_file(store, home, parse_mapping(content, name="other.yml"), file)


def _all(store: Engine, query: str) -> list[tuple[Any, ...]]:
    with store.connect() as connection:
        found = connection.execute(text(query)).all()
    return [tuple(str(value)[:19] if value is not None else None for value in row) for row in found]


@pytest.mark.parametrize(
    ("start", "ended", "row"),
    [
        ("begin", {"ended_at": "finish"}, "begin,finish|2026-03-02 09:00:00,2026-03-02 09:05:00"),
        ("begin", {"seconds": "length"}, "begin,length|2026-03-02T09:00:00+08:00,300"),
        ("begin", {"seconds": {"column": "length", "unit": "h:mm:ss"}}, "begin,length|2026-03-02 09:00,5:00"),
        ("begin", {"seconds": {"column": "length", "unit": "milliseconds"}}, "begin,length|20260302T010000Z,300000"),
        (
            {"column": "begin", "formats": ["epoch_seconds"]},
            {"seconds": {"column": "length", "unit": "minutes"}},
            "begin,length|1772413200,5",
        ),
        (
            {"column": "begin", "formats": ["epoch_milliseconds"]},
            {"ended_at": {"column": "finish", "formats": ["epoch_seconds"]}},
            "begin,finish|1772413200000,1772413500",
        ),
        (
            {"column": "begin", "formats": ["%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M"]},
            {"ended_at": {"time": {"column": "finish", "formats": ["%H:%M"]}}},
            "begin,finish|2026/03/02 09:00,09:05",
        ),
    ],
)
def test_start_and_end_come_in_many_forms(
    store: Engine, home: Settings, tmp_path: Path, start: Any, ended: dict[str, Any], row: str
) -> None:
    header, _, values = row.partition("|")
    fields = {"started_at": start, "outcome": {"constant": "answered"}} | ended
    summary = _import(store, home, tmp_path, _mapping(fields), [f"id,{header}", f"1,{values}"])
    assert summary.reasons == {}
    expected = ("2026-03-02 01:00:00", "2026-03-02 01:05:00")
    assert _all(store, "SELECT started_at, ended_at FROM contacts") == [expected]
    # Nothing else being said, an answered call is talk from its start to its end, in the source's own queue.
    assert _all(store, "SELECT started_at, ended_at FROM call_segments WHERE kind = 'talk'") == [expected]
    assert _all(store, "SELECT q.code FROM queue_visits v JOIN queues q ON q.id = v.queue_id") == [("other",)]


def test_a_semicolon_file_with_flags_names_and_queues(store: Engine, home: Settings, tmp_path: Path) -> None:
    fields = {
        "started_at": {"date": {"column": "day", "formats": ["%d/%m/%Y"]}, "time": "clock"},
        "outcome": {
            "rules": [
                {"when": {"full": "1"}, "value": "blocked"},
                {"when": {"answered": ["yes", "y"]}, "value": "answered"},
                {"when": {"waited": {"at_least": 1}}, "value": "abandoned"},
            ],
            "default": "ended_in_ivr",
        },
        "block_reason": {"constant": "full"},
        "ivr": {"seconds": "menu"},
        "wait": {"seconds": "waited"},
        "talk": {"seconds": "talked"},
        "hold": {"seconds": "held"},
        "wrap_up": {"seconds": "after"},
        "agent": {"column": "agent_no"},
        "agent_name": "agent_name",
        "queue": "skill",
        "unit": {"column": "number", "patterns": [{"match": "^029", "value": "xian"}], "default": "province"},
        "caller": "number",
        "direction": {"column": "kind", "values": {"inbound": "in", "outbound": "out"}},
    }
    rows = [
        "id;day;clock;answered;full;menu;waited;talked;held;after;agent_no;agent_name;skill;number;kind",
        "1;02/03/2026;09:00:00;yes;0;10;20;100;15;30;17;王小明;repair;02988886666;inbound",
        "2;02/03/2026;09:00:00;no;0;10;7;0;0;0;;;repair;091712345;inbound",
        "3;02/03/2026;09:00:00;no;0;10;0;0;0;0;;;;;inbound",
        "4;02/03/2026;09:00:00;no;1;;;;;;;;;;inbound",
    ]
    summary = _import(store, home, tmp_path, _mapping(fields), rows)
    assert (summary.loaded, summary.reasons) == (4, {})
    assert _all(store, "SELECT outcome, block_reason FROM contacts ORDER BY id") == [
        ("answered", None),
        ("abandoned", None),
        ("ended_in_ivr", None),
        ("blocked", "full"),
    ]
    assert _all(store, "SELECT kind, ended_at FROM call_segments WHERE call_id = 1 ORDER BY segment_number") == [
        ("ivr", "2026-03-02 01:00:10"),
        ("talk", "2026-03-02 01:02:10"),
        ("hold", "2026-03-02 01:02:25"),
        ("wrap_up", "2026-03-02 01:02:55"),
    ]
    visit = "SELECT exit_class, entered_at, exited_at, ended_at FROM queue_visits ORDER BY id"
    assert _all(store, visit) == [
        ("answered", "2026-03-02 01:00:10", "2026-03-02 01:00:30", "2026-03-02 01:02:25"),
        ("abandoned", "2026-03-02 01:00:10", "2026-03-02 01:00:17", None),
    ]
    assert _all(store, "SELECT code, name FROM agents") == [("other:17", "王小明")]
    assert _all(store, "SELECT code FROM queues WHERE code LIKE 'other%'") == [("other:repair",)]
    assert _all(store, "SELECT DISTINCT u.code FROM contacts c JOIN org_units u ON u.id = c.unit_id ORDER BY 1") == [
        ("province",),
        ("xian",),
    ]


def _day(zone: str, **negative: str) -> dict[str, Any]:
    fields = {
        "started_at": {"date": "day", "time": "began"},
        "outcome": {"constant": "answered"},
        "talk": {"start": {"time": "began"}, "end": {"time": "ended"}, "seconds": "length"} | negative,
    }
    return _mapping(fields, time_zone=zone)


@pytest.mark.parametrize(
    ("zone", "row", "seconds"),
    [
        # Past midnight: the recorded length says so, or none is recorded and it is short.
        ("Asia/Shanghai", "2026-03-02,23:59:00,0:01:00,120", 120),
        ("Asia/Shanghai", "2026-03-02,23:59:00,0:01:00,", 120),
        # Clocks go forward at 2:00 on 2010-03-26, and back at 2:00 on 2010-09-12.
        ("Asia/Jerusalem", "2010-03-26,1:59:00,3:01:00,120", 120),
        ("Asia/Jerusalem", "2010-09-12,1:59:00,1:01:00,120", 120),
        ("Asia/Jerusalem", "2010-09-12,0:59:00,1:01:00,120", 120),
        ("Asia/Jerusalem", "2010-09-12,1:50:00,2:10:00,4800", 4800),
        ("Asia/Jerusalem", "2010-09-12,1:50:00,2:10:00,1200", 1200),
    ],
)
def test_midnight_and_summer_time_by_the_recorded_length(
    store: Engine, home: Settings, tmp_path: Path, zone: str, row: str, seconds: int
) -> None:
    _import(store, home, tmp_path, _day(zone), ["id,day,began,ended,length", f"1,{row}"])
    query = {
        "sqlite": "SELECT strftime('%s', ended_at) - strftime('%s', started_at) FROM call_segments",
        "postgresql": "SELECT CAST(EXTRACT(EPOCH FROM ended_at - started_at) AS INTEGER) FROM call_segments",
    }[store.dialect.name]
    assert _all(store, query) == [(str(seconds),)]


def test_an_end_before_its_start_is_refused_or_cut_to_nothing(store: Engine, home: Settings, tmp_path: Path) -> None:
    rows = ["id,day,began,ended,length", "1,2026-03-02,12:00:00,11:59:00,120"]
    refused = _import(store, home, tmp_path, _day("Asia/Shanghai"), rows)
    assert refused.reasons == {"talk ends before it starts": 1}
    taken = _import(store, home, tmp_path, _day("Asia/Shanghai", negative="zero"), rows)
    assert taken.loaded == 1
    assert _all(store, "SELECT data_flag FROM contacts") == [("talk_time_negative",)]


def test_a_key_customer_only_rises(store: Engine, home: Settings, tmp_path: Path) -> None:
    fields = {
        "started_at": "start",
        "outcome": {"constant": "other"},
        "customer": {"column": "customer", "empty": ["0"]},
        "customer_level": {"column": "vip", "values": {"1": "gold", "0": "none"}},
    }
    mapping = _mapping(fields)
    header = "id,start,customer,vip"
    _import(store, home, tmp_path, mapping, [header, "1,2026-03-02 09:00,A,0", "2,2026-03-01 09:00,A,0"])
    _import(store, home, tmp_path, mapping, [header, "3,2026-03-03 09:00,A,1", "4,2026-03-03 09:00,0,1"])
    _import(store, home, tmp_path, mapping, [header, "5,2026-03-04 09:00,A,0"])
    assert _all(store, "SELECT code, key_level, registered_at FROM customers") == [
        ("other:A", "gold", "2026-03-01 01:00:00")
    ]


def test_tickets_with_times_have_their_history(store: Engine, home: Settings, tmp_path: Path) -> None:
    fields = {
        "created_at": "created",
        "resolved_at": "resolved",
        "closed_at": "closed",
        "channel": {"constant": "email"},
        "service_type": {"constant": "complaint"},
        "state": {"column": "state", "values": {"done": "closed", "open": "in_progress"}},
        "title": "text",
    }
    mapping = {"source": "other", "kind": "tickets", "time_zone": "Asia/Shanghai", "key": ["id"], "tickets": fields}
    rows = [
        "id,created,resolved,closed,state,text",
        "1,2026-03-02 09:00,2026-03-03 09:00,2026-03-04 09:00,done,没有信号",
        "2,2026-03-02 09:00,,,open,网速慢",
        "3,2026-03-02 09:00,2026-03-01 09:00,,done,时间不对",
    ]
    summary = _import(store, home, tmp_path, mapping, rows)
    assert summary.reasons == {"resolved_at is before created_at": 1}
    history = (
        "SELECT t.code, e.event_number, e.kind, e.from_state, e.to_state FROM ticket_events e "
        "JOIN tickets t ON t.id = e.ticket_id ORDER BY t.code, e.event_number"
    )
    assert _all(store, history) == [
        ("other:1", "1", "created", None, "new"),
        ("other:1", "2", "resolved", "new", "resolved"),
        ("other:1", "3", "closed", "resolved", "closed"),
        ("other:2", "1", "created", None, "in_progress"),
    ]
