"""Callers in the IVR of a real Asterisk: where they go, what they are told, and that they always reach an agent."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from core.database import make_engine, session_scope
from crm_api.contacts.models import Call, CallSegment, Contact, SurveyAnswer
from crm_api.customers.models import Account, Customer, CustomerPhone
from crm_api.organisation.models import OrgUnit
from crm_api.routing.models import IvrStep, OutboundCall
from crm_api.tickets.models import Ticket
from crm_api.workforce.models import Queue
from telephony.asterisk.plan import PbxPlan, QueuePlan
from telephony.asterisk.private import PrivateAsterisk
from telephony.call_model import Visit, build_calls
from telephony.files import import_queue_log, read_queue_log
from tests.telephony.conftest import Start
from tests.telephony.keypad import call_and_press, pressed_through
from tests.telephony.phones import agents_at_their_phones
from tests.telephony.test_listener import _eventually
from tests.telephony.test_real_asterisk import PLAN

QUEUES = ("general", "fault", "key", "fee", "complaint")
IVR_PLAN: PbxPlan = replace(
    PLAN,
    ivr_enabled=True,
    queues=tuple(QueuePlan(code, wrap_up_seconds=1) for code in QUEUES),
    agents=tuple(replace(one, queues=tuple((code, 1) for code in QUEUES)) for one in PLAN.agents),
)


@contextmanager
def _ivr(pbx: PrivateAsterisk, url: str, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "cli.main", "telephony", "ivr", "--port", str(pbx.plan.ports.agi)]
    environment = os.environ | {"CRM_HOME": str(home), "CRM_DATABASE_URL": url}
    child = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[2])
    try:
        assert _eventually(lambda: _listens(pbx.plan.ports.agi), 20)
        yield child
    finally:
        child.send_signal(signal.SIGCONT)
        child.send_signal(signal.SIGTERM)
        child.wait(60)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _visits(pbx: PrivateAsterisk) -> list[Visit]:
    return build_calls(read_queue_log([pbx.queue_log])[0]).visits


def _queues(pbx: PrivateAsterisk) -> dict[str, str]:
    """Caller's number -> the queue entered last."""
    events, _ = read_queue_log([pbx.queue_log])
    return {event.data[1]: event.queue.removeprefix("crm-") for event in events if event.kind == "ENTERQUEUE"}


def _people(engine: Engine) -> None:
    """A key customer with an account in Xi'an, a plain one in Baoji whose branch has an outage."""
    now = datetime.now(UTC)
    with session_scope(engine) as session:
        units = {one.code: one.id for one in session.scalars(select(OrgUnit).where(OrgUnit.kind == "city"))}
        session.add_all(
            Queue(code=code, name_zh=code, name_en=code, calendar_code="always", is_priority=code == "key")
            for code in QUEUES
        )
        rows = (("C1", "gold", "xian", "+8613891230001"), ("C2", "none", "baoji", "+8613891230002"))
        for code, level, city, number in rows:
            customer = Customer(code=code, kind="person", key_level=level, unit_id=units[city], registered_at=now)
            session.add(customer)
            session.flush()
            session.add(CustomerPhone(customer_id=customer.id, e164=number, kind="mobile", is_primary=True))
            session.add(Account(customer_id=customer.id, number=f"88{code[1]}", balance_fen=1250, opened_at=now))
        session.add(
            Ticket(
                code="T-outage",
                kind="outage",
                channel_code="voice",
                service_type_code="internal_maintenance",
                unit_id=units["baoji"],
                state="dispatched",
                created_at=now,
            )
        )


@pytest.fixture
def people(sqlite_url: str) -> Iterator[Engine]:
    engine = make_engine(url=sqlite_url)
    _people(engine)
    yield engine
    engine.dispose()


def test_callers_are_led_to_their_queue_and_their_way_is_written(
    asterisk: Start, people: Engine, sqlite_url: str, tmp_path: Path
) -> None:
    pbx = asterisk(IVR_PLAN)
    with agents_at_their_phones(pbx.plan, tmp_path), _ivr(pbx, sqlite_url, tmp_path / "home"):
        stranger = call_and_press(pbx.plan, tmp_path, "13891239999", [(700, "1"), (700, "1")])
        key = call_and_press(pbx.plan, tmp_path, "013891230001", [(700, "2"), (700, "3")])
        far = call_and_press(pbx.plan, tmp_path, "13800138000", [(700, "1"), (700, "0")])
        fee = call_and_press(
            pbx.plan, tmp_path, "13891230001", [(700, "1"), (700, "2"), (700, "1")], then_ms=4000, called="02996766"
        )
        outage = call_and_press(
            pbx.plan, tmp_path, "13891230002", [(700, "1"), (2500, "0"), (900, "1")], then_ms=15000, hang_up=False
        )
        for one in (stranger, key, far, fee, outage):
            pressed_through(one)
        assert _eventually(lambda: _number(people, OutboundCall) == 1, 5)
        assert _eventually(lambda: _number(people, IvrStep) >= 12, 5)
    assert _queues(pbx) == {"13891239999": "fault", "013891230001": "key", "13800138000": "key"}
    with session_scope(people) as session:
        told = {one.remote_address: one for one in session.scalars(select(Contact))}
        assert told["13891230001"].is_self_served
        assert (told["13891230001"].outcome, told["13891230001"].service_type_code) == ("ended_in_ivr", "fee_query")
        assert told["13891230001"].customer_id == told["013891230001"].customer_id is not None
        call = session.scalars(select(Call).where(Call.contact_id == told["13891230001"].id)).one()
        assert call.called_number == "02996766"
        assert call.ivr_seconds > 2
        asked = session.scalars(select(OutboundCall)).one()
        assert (asked.kind, asked.number, asked.state) == ("outage_callback", "+8613891230002", "waiting")
        way = session.scalars(
            select(IvrStep).where(IvrStep.contact_id == told["013891230001"].id).order_by(IvrStep.step_number)
        )
        assert [(one.node, one.choice) for one in way] == [
            ("priority", "big_customer"),
            ("language", "2"),
            ("main", "3"),
            ("complaint", "complaint"),
        ]
    # The log is read: the IVR's part of the call stays.
    import_queue_log(people, [pbx.queue_log], source="", rejected=tmp_path)
    again = import_queue_log(people, [pbx.queue_log], source="", rejected=tmp_path)
    assert (again.calls.added, again.calls.changed) == (0, 0)
    with session_scope(people) as session:
        contact = session.get_one(Contact, told["013891230001"].id)
        assert contact.outcome == "answered"
        assert (
            contact.started_at
            < session.scalars(select(CallSegment.started_at).where(CallSegment.kind == "talk")).first()
        )
        kinds = session.scalars(
            select(CallSegment.kind)
            .join(Call, Call.id == CallSegment.call_id)
            .where(Call.contact_id == contact.id, CallSegment.deleted_at.is_(None))
            .order_by(CallSegment.segment_number)
        ).all()
        assert kinds == ["ivr", "talk"]


def _beep(path: Path) -> None:
    """A prompt of a fifth of a second instead of the spoken one."""
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0" * 3200)


def test_who_waits_is_spoken_to_in_the_language_that_they_chose(
    asterisk: Start, people: Engine, sqlite_url: str, tmp_path: Path
) -> None:
    pbx = asterisk(replace(IVR_PLAN, queues=tuple(replace(one, announce_seconds=1) for one in IVR_PLAN.queues)))
    for language in ("zh", "en"):
        _beep(pbx.state / "sounds" / language / "waiting.wav")
    pbx.command("logger add channel spoken verbose(3)")
    with _ivr(pbx, sqlite_url, tmp_path / "home"):
        keys = {"zh": [(700, "1"), (700, "1")], "en": [(700, "2"), (700, "1")]}
        callers = [call_and_press(pbx.plan, tmp_path, "13891239999", keys[n], then_ms=9000) for n in keys]
        said = pbx.state / "log" / "spoken"
        assert _eventually(lambda: len(re.findall("sounds/waiting", said.read_text())) >= 6, 20)
        for one in callers:
            pressed_through(one)
    heard = set(re.findall(r"<(\S+)> Playing '\S+/sounds/waiting\.\w+' \(language '(\w+)'\)", said.read_text()))
    assert sorted(language for _, language in heard) == ["en", "zh"], "each caller hears one language, always the same"
    assert len({channel for channel, _ in heard}) == 2
    assert "waiting" not in (pbx.state / "log" / "messages").read_text(), "both files are there"


def _number(engine: Engine, model: type) -> int:
    with session_scope(engine) as session:
        return len(session.scalars(select(model)).all())


def _enters_general(pbx: PrivateAsterisk, number: str, *, seconds: float) -> None:
    assert _eventually(lambda: _queues(pbx).get(number) == "general", seconds)


def _calling(pbx: PrivateAsterisk, folder: Path, number: str) -> "subprocess.Popen[str]":
    return call_and_press(pbx.plan, folder, number, [], then_ms=4500)


def test_without_an_ivr_calls_reach_agents(asterisk: Start, tmp_path: Path) -> None:
    pbx = asterisk(IVR_PLAN)
    with agents_at_their_phones(pbx.plan, tmp_path):
        caller = _calling(pbx, tmp_path, "13800000001")
        _enters_general(pbx, "13800000001", seconds=1.5)
        pressed_through(caller)
    assert [visit.exit_class for visit in _visits(pbx)] == ["answered"]


def test_an_ivr_that_hangs_or_dies_costs_two_seconds_not_the_call(
    asterisk: Start, sqlite_url: str, tmp_path: Path
) -> None:
    pbx = asterisk(IVR_PLAN)
    with agents_at_their_phones(pbx.plan, tmp_path), _ivr(pbx, sqlite_url, tmp_path / "home") as child:
        asked = _calling(pbx, tmp_path, "13800000002")
        time.sleep(1.5)
        assert _queues(pbx) == {}, "the menu is being played"
        child.send_signal(signal.SIGSTOP)
        stopped = _calling(pbx, tmp_path, "13800000003")
        _enters_general(pbx, "13800000003", seconds=3.5)
        child.kill()
        _enters_general(pbx, "13800000002", seconds=1.5)
        pressed_through(asked)
        pressed_through(stopped)
    assert [visit.exit_class for visit in _visits(pbx)] == ["answered", "answered"]


@pytest.mark.parametrize("how", ["refuses", "is silent"])
def test_without_its_store_the_ivr_sends_callers_to_the_general_queue(
    asterisk: Start, tmp_path: Path, how: str
) -> None:
    pbx = asterisk(IVR_PLAN)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if how == "is silent":
            silent.listen(50)
        url = f"postgresql://crm@127.0.0.1:{silent.getsockname()[1]}/crm"
        with agents_at_their_phones(pbx.plan, tmp_path), _ivr(pbx, url, tmp_path / "home"):
            callers = [_calling(pbx, tmp_path, f"1380000100{n}") for n in range(3)]
            for n, caller in enumerate(callers):
                _enters_general(pbx, f"1380000100{n}", seconds=2)
                pressed_through(caller)
    assert [visit.exit_class for visit in _visits(pbx)] == ["answered"] * 3


def test_a_caller_rates_the_call_after_the_agent_hung_up(
    asterisk: Start, people: Engine, sqlite_url: str, tmp_path: Path
) -> None:
    from tests.telephony.phones import SCENARIOS

    pbx = asterisk(IVR_PLAN)
    phones = agents_at_their_phones(pbx.plan, tmp_path, scenario=SCENARIOS / "agent_hangs_up.xml")
    with phones, _ivr(pbx, sqlite_url, tmp_path / "home"):
        keys = [(700, "1"), (700, "0"), (4500, "4")]
        caller = call_and_press(pbx.plan, tmp_path, "13891230001", keys, then_ms=9000, hang_up=False)
        pressed_through(caller)
        assert _eventually(lambda: _number(people, SurveyAnswer) == 1, 5)
    with session_scope(people) as session:
        answer = session.scalars(select(SurveyAnswer)).one()
        contact = session.get_one(Contact, answer.contact_id)
        assert (answer.score, contact.remote_address) == (4, "13891230001")


def test_a_waiting_caller_asks_to_be_called_and_keeps_the_place(
    asterisk: Start, people: Engine, sqlite_url: str, tmp_path: Path
) -> None:
    pbx = asterisk(IVR_PLAN)
    with _ivr(pbx, sqlite_url, tmp_path / "home"):
        keys = [(700, "1"), (700, "1"), (2500, "1")]
        before = time.time()
        pressed_through(call_and_press(pbx.plan, tmp_path, "13891239999", keys, then_ms=9000, hang_up=False))
        assert _eventually(lambda: _number(people, OutboundCall) == 1, 5)
    assert [visit.exit_class for visit in _visits(pbx)] == ["key_exit"]
    with session_scope(people) as session:
        asked = session.scalars(select(OutboundCall)).one()
        queue = session.get_one(Queue, asked.queue_id)
        assert (asked.kind, asked.number, queue.code) == ("queue_callback", "+8613891239999", "fault")
        assert asked.kept_since is not None
        assert asked.kept_since.timestamp() < before + 4, "the place is that of joining, not of asking"
