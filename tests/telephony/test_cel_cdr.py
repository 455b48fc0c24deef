"""CEL and CDR files say the same of a call as queue_log does, within their means."""

import json
import random
import time
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import Engine, select

from core.database import session_scope
from core.settings import Settings
from crm_api.contacts.models import Contact, QueueVisit
from crm_api.routing.models import TelephonyResidual
from telephony import cdr, cel
from telephony.call_model import build_calls
from telephony.commands import telephony
from telephony.files import read_cdr, read_cel, read_queue_log
from telephony.queue_log import BadLine
from telephony.reconcile import reconcile
from tests.telephony.conftest import Start
from tests.telephony.phones import agents_at_their_phones, make_calls
from tests.telephony.test_real_asterisk import PLAN


def _cel(kind: str, at: float, call: str, channel: str, *, app: str = "", data: str = "", bridge: str = "") -> str:
    extra = json.dumps({"bridge_id": bridge}).replace('"', '""') if bridge else ""
    fields = [kind, at, "", "13800000001", "", "", "", "general", "queues", channel, app, data, "", "", call, "c1"]
    return ",".join(f'"{one}"' for one in [*fields, "", "", "", extra]) + "\n"


ANSWERED = [
    _cel("APP_START", 100.2, "c1", "PJSIP/trunk-1", app="Queue", data="crm-general,tc,,,"),
    _cel("BRIDGE_ENTER", 112.9, "c2", "PJSIP/7001-00000002", bridge="b"),
    _cel("BRIDGE_ENTER", 112.9, "c1", "PJSIP/trunk-1", bridge="b"),
    _cel("BRIDGE_EXIT", 150.1, "c1", "PJSIP/trunk-1", bridge="b"),
    _cel("APP_END", 150.1, "c1", "PJSIP/trunk-1", app="Queue"),
    _cel("HANGUP", 150.1, "c1", "PJSIP/trunk-1"),
]
GAVE_UP = [
    _cel("APP_START", 200.0, "c1", "PJSIP/trunk-1", app="Queue", data="crm-general"),
    _cel("APP_END", 230.0, "c1", "PJSIP/trunk-1", app="Queue"),
    _cel("HANGUP", 230.1, "c1", "PJSIP/trunk-1"),
]


def _visits(lines: list[str]) -> list[tuple[str, int, str | None, str | None, int | None, int | None]]:
    bad: list[BadLine] = []
    visits = build_calls(cel.queue_events(cel.parse(lines, bad))).visits
    assert bad == []
    return [
        (one.queue, one.entered_at, one.exit_class, one.agent, one.wait_seconds, one.talk_seconds) for one in visits
    ]


def test_a_way_through_a_queue_is_a_visit_in_any_order_of_lines() -> None:
    expected = [("crm-general", 100, "answered", "7001", 12, 38), ("crm-general", 200, "abandoned", None, 30, None)]
    for seed in range(20):
        lines = [*ANSWERED, *GAVE_UP, *ANSWERED[:3]]
        random.Random(seed).shuffle(lines)
        assert _visits(lines) == expected


def test_who_waited_too_long_and_stayed_on_the_line_timed_out() -> None:
    lines = [*GAVE_UP[:2], _cel("HANGUP", 245.0, "c1", "PJSIP/trunk-1")]
    assert _visits(lines) == [("crm-general", 200, "timeout", None, 30, None)]


CDR = (
    '"","13800000001","96766","queues","","PJSIP/trunk-1","{to}","{app}","crm-general,tc","2026-03-02 00:00:00",'
    '{a},"2026-03-02 00:01:00",60,50,"{how}","DOCUMENTATION","{key}",""\n'
)


def test_records_of_queues_are_visits_and_others_are_passed_over() -> None:
    lines = [
        CDR.format(to="PJSIP/7001-2", app="Queue", a='"2026-03-02 00:00:10"', how="ANSWERED", key="a"),
        CDR.format(to="", app="Queue", a="", how="NO ANSWER", key="b"),
        CDR.format(to="", app="Playback", a="", how="ANSWERED", key="c"),
        CDR.format(to="", app="Queue", a="", how="NO ANSWER", key="d").replace("2026-03-02 00:01", "2026-13-02 00:01"),
        CDR[:40] + "\n",
    ]
    bad: list[BadLine] = []
    visits = build_calls(cdr.parse(lines, bad)).visits
    assert [(one.call, one.exit_class, one.wait_seconds, one.talk_seconds) for one in visits] == [
        ("a", "answered", 10, 50),
        ("b", "abandoned", 60, None),
    ]
    assert [one.number for one in bad] == [4, 5]
    assert "end is '2026-13-02 00:01:00'" in bad[0].reason


def test_three_logs_of_one_asterisk_tell_the_same_calls(asterisk: Start, home: Settings, tmp_path: Path) -> None:
    pbx = asterisk(PLAN)
    patience = random.Random(3)
    calls = [(f"1380000{n:04}", patience.choice([1500, 3000, 5000])) for n in range(12)]
    with agents_at_their_phones(pbx.plan, tmp_path):
        make_calls(pbx.plan, tmp_path, calls, per_second=4)
        time.sleep(1.5)
    logs = pbx.state / "log"
    by_log = build_calls(read_queue_log([pbx.queue_log])[0]).visits
    events, bad = read_cel([logs / "cel-custom" / "Master.csv"])
    by_cel = build_calls(events).visits
    assert bad == {}
    assert [(one.call, one.queue, one.exit_class, one.agent) for one in by_cel] == [
        (one.call, one.queue, one.exit_class, one.agent) for one in by_log
    ]
    for one, other in zip(by_cel, by_log, strict=True):
        assert abs((one.wait_seconds or 0) - (other.wait_seconds or 0)) <= 1
        assert abs((one.talk_seconds or 0) - (other.talk_seconds or 0)) <= 1
    records, bad = read_cdr([logs / "cdr-csv" / "Master.csv"])
    assert bad == {}
    assert {one.call for one in build_calls(records).visits} == {one.call for one in by_log}
    from crm_api.commands import init

    assert CliRunner().invoke(init, []).exit_code == 0
    for kind, path in (("cel", logs / "cel-custom" / "Master.csv"), ("cdr", logs / "cdr-csv" / "Master.csv")):
        for added in (len(by_log), 0):
            done = CliRunner().invoke(telephony, ["import", kind, str(path), "--source", kind, "--json"])
            assert done.exit_code == 0, done.output
            assert json.loads(done.stdout)["calls"]["added"] == added


def test_reconciling_takes_lost_calls_from_cel_and_counts_calls_by_day(store: Engine, tmp_path: Path) -> None:
    log, other = tmp_path / "queue_log", tmp_path / "Master.csv"
    log.write_text("1772380900|a|crm-general|NONE|ENTERQUEUE||138|1\n1772380930|a|crm-general|NONE|ABANDON|1|1|30\n")
    base = 1772380000
    other.write_text(
        "".join(
            _cel(kind, base + at, "lost", "x", app="Queue", data="crm-fault")
            for kind, at in (("APP_START", 0), ("APP_END", 20), ("HANGUP", 20))
        )
    )
    residuals, _ = reconcile(store, [log], rejected=tmp_path, cel=[other])
    assert sum(one.calls_in_log for one in residuals.values()) == 2
    assert sum(one.visits_missing for one in residuals.values()) == 2
    with session_scope(store) as session:
        assert session.scalars(select(Contact.external_id).order_by(Contact.external_id)).all() == ["a", "lost"]
        assert session.scalars(select(QueueVisit.exit_class)).all() == ["abandoned", "abandoned"]
        rows = session.scalars(select(TelephonyResidual)).all()
        assert sum(row.calls_differing for row in rows) == 2
