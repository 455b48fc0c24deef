"""Calls that the platform makes: checked right before, paced by free agents, settled whatever came of them."""

import random
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.database import make_engine, session_scope
from crm_api.capture.models import Callback
from crm_api.contacts.models import Contact, QueueVisit
from crm_api.customers.models import Customer, CustomerPhone
from crm_api.identity.service import create_demo_users
from crm_api.organisation.models import OrgUnit
from crm_api.routing import ivr, outbound, outbound_lists
from crm_api.routing.models import OutboundCall
from crm_api.routing.outbound import Due
from crm_api.routing.phones import assign
from crm_api.workforce.models import Agent, Queue
from telephony.ami_wire import Message
from telephony.dialler import Dialler, _Flight, dial_string
from telephony.listener import Address
from telephony.manager import Manager
from telephony.pacing import Moment, may_ring
from tests.servers import free_port
from tests.telephony.conftest import Start
from tests.telephony.phones import SCENARIOS, agents_at_their_phones, sipp
from tests.telephony.test_listener import _eventually
from tests.telephony.test_real_asterisk import PLAN

#: Noon in Asia/Shanghai.
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def _customer(session: Session, code: str, number: str, **phone: bool) -> int:
    unit = session.scalars(select(OrgUnit.id).where(OrgUnit.code == "xian")).one()
    one = Customer(code=code, kind="person", unit_id=unit, registered_at=NOON)
    session.add(one)
    session.flush()
    session.add(CustomerPhone(customer_id=one.id, e164=number, kind="mobile", is_primary=True, **phone))
    session.flush()
    return one.id


def _promise(session: Session, number: str, at: datetime, customer_id: int | None = None) -> None:
    unit = session.scalars(select(OrgUnit.id).where(OrgUnit.code == "xian")).one()
    session.add(
        Callback(number=number, customer_id=customer_id, username="agent", unit_id=unit, due_at=at, created_at=at)
    )
    session.flush()


def _ask(session: Session, key: str, number: str, at: datetime, **more: int) -> None:
    if session.scalar(select(Queue.id).where(Queue.code == "general")) is None:
        session.add(Queue(code="general", name_zh="综合", name_en="General", calendar_code="always"))
        session.flush()
    ivr.request_callback(session, external_id=key, number=number, queue="general", kept_since=at, now=at, **more)


def _only(session: Session) -> OutboundCall:
    return session.scalars(select(OutboundCall).order_by(OutboundCall.id)).first()  # type: ignore[return-value]  # there is one


def test_rules_are_asked_right_before_the_call(store: Engine) -> None:
    with session_scope(store) as session:
        _customer(session, "C1", "+8613800000001", do_not_call=True)
        _promise(session, "+8613800000001", NOON)
        assert outbound.adopt_promises(session, now=NOON) == 1
        assert outbound.adopt_promises(session, now=NOON) == 0
        due = outbound.due_calls(session, now=NOON)
        assert outbound.begin(session, due[0], now=NOON) == "do_not_call"
        assert (_only(session).disposition, _only(session).refused_because) == ("refused", "do_not_call")


def test_nobody_is_called_at_night(store: Engine) -> None:
    night = NOON + timedelta(hours=10)
    with session_scope(store) as session:
        _ask(session, "k1", "+8613800000002", night)
        due = outbound.due_calls(session, now=night)
        assert outbound.begin(session, due[0], now=night) == "calling_hours"
        assert _only(session).state == "waiting"
        assert outbound.due_calls(session, now=night) == []
        morning = NOON + timedelta(hours=21)
        assert outbound.begin(session, outbound.due_calls(session, now=morning)[0], now=morning) is None


def test_who_has_reached_an_agent_since_is_not_called(store: Engine) -> None:
    with session_scope(store) as session:
        customer = _customer(session, "C1", "+8613800000003")
        _ask(session, "k1", "+8613800000003", NOON, customer_id=customer)
        later = NOON + timedelta(minutes=5)
        queue = session.scalars(select(Queue.id).where(Queue.code == "general")).one()
        contact = Contact(
            channel_code="voice", external_id="x", customer_id=customer, started_at=later, outcome="answered"
        )
        session.add(contact)
        session.flush()
        session.add(
            QueueVisit(
                contact_id=contact.id,
                visit_number=1,
                queue_id=queue,
                entered_at=later,
                exited_at=later,
                exit_class="answered",
            )
        )
        session.flush()
        due = outbound.due_calls(session, now=later)
        assert outbound.begin(session, due[0], now=later) == "spoken_to_since"
        assert _only(session).disposition == "cancelled"


def test_who_is_not_reached_is_called_three_times_and_who_was_abandoned_again(store: Engine) -> None:
    at = NOON
    with session_scope(store) as session:
        _ask(session, "k1", "+8613800000004", at)
        for attempt in (1, 2, 3):
            (due,) = outbound.due_calls(session, now=at)
            assert due.attempt == attempt
            assert outbound.begin(session, due, now=at) is None
            assert outbound.begin(session, due, now=at) == "taken"
            outbound.finish(session, due.key, "no_answer", now=at)
            at += outbound.AGAIN_AFTER
        assert (_only(session).disposition, _only(session).attempts) == ("no_answer", 3)
        assert outbound.due_calls(session, now=at) == []
        keys = session.scalars(select(Contact.external_id).where(Contact.direction == "out")).all()
        assert len(keys) == 3

        _ask(session, "k2", "+8613800000005", at)
        (due,) = outbound.due_calls(session, now=at)
        outbound.begin(session, due, now=at)
        outbound.note_answer(session, due.key, connected=False, now=at)
        outbound.finish(session, due.key, "abandoned", now=at)
        assert outbound.last_day(session, now=at) == outbound.Record(answered=1, abandoned=1)
        assert [one.attempt for one in outbound.due_calls(session, now=at)] == [2]


def test_a_call_list_is_worked_and_each_entry_checked_again(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from crm_api.campaigns.models import CallAttempt, CallListEntry
    from crm_api.campaigns.settings import campaign_settings
    from crm_api.customers.models import Consent
    from tests.crm_api import test_campaigns as lists

    monkeypatch.setattr(campaign_settings(), "global_holdout_percent", 0)
    with session_scope(store) as session:
        for number in range(3):
            lists.add(session, number)
        session.add(Queue(code="sales", name_zh="外呼", name_en="Sales", calendar_code="always"))
        made = lists.campaign(session)
        lists.build(session, made)
        lists.run(session, made)
        adopt = {"campaign_id": made.id, "queue": "sales", "limit": 5, "mode": "progressive", "now": lists.NOW}
        assert outbound_lists.adopt(session, **adopt) == 3  # type: ignore[arg-type]  # as each case sets
        assert outbound_lists.adopt(session, **adopt) == 0  # type: ignore[arg-type]  # as each case sets
        first, second, third = outbound.due_calls(session, now=lists.NOW)
        withdrawn = session.get_one(OutboundCall, first.id).customer_id
        session.add(
            Consent(customer_id=withdrawn, channel="voice", purpose="marketing", granted=False, valid_from=lists.DAY)
        )
        session.flush()
        assert outbound.begin(session, first, now=lists.NOW) == "no_consent"
        assert outbound.begin(session, second, now=lists.NOW) is None
        assert outbound.begin(session, third, now=lists.NOW) is None
        outbound.finish(session, second.key, "busy", now=lists.NOW)
        outbound.note_answer(session, third.key, connected=True, now=lists.NOW)
        outbound.finish(session, third.key, "connected", now=lists.NOW)
        told = session.scalars(select(OutboundCall.disposition).order_by(OutboundCall.id)).all()
        assert told == ["refused", "busy", "connected"]
        (attempt,) = session.scalars(select(CallAttempt)).all()
        assert (attempt.outcome, attempt.external_id) == ("busy", second.key)
        states = session.scalars(select(CallListEntry.state)).all()
        assert sorted(states) == ["reserved", "stopped", "waiting"], "what was said is the agent's to write"


@pytest.mark.parametrize("seed", range(5))
def test_pacing_holds_the_abandoned_share_under_three_percent(seed: int) -> None:
    """Agents vanish while the customer's phone rings (one in twenty): customers left without one stay few."""
    chance = random.Random(seed)
    answered = abandoned = 0
    for _ in range(4000):
        free = chance.randint(1, 6)
        ringing = may_ring(Moment(free, 0, 0, answered, abandoned))
        assert ringing <= free
        there = sum(chance.random() > 0.05 for _ in range(free))
        picked_up = sum(chance.random() < 0.6 for _ in range(ringing))
        answered += picked_up
        abandoned += max(0, picked_up - there)
    assert answered > 2000
    assert abandoned / answered <= outbound.ABANDONED_AT_MOST


def test_callers_who_wait_have_the_agents_first() -> None:
    assert may_ring(Moment(free_agents=3, in_flight=0, waiting_callers=3, answered=1000, abandoned=0)) == 0
    assert may_ring(Moment(free_agents=3, in_flight=1, waiting_callers=0, answered=1000, abandoned=0)) == 2


@contextmanager
def _customers_at_home(folder: Path, port: int, scenario: str = "agent.xml") -> Iterator[None]:
    """Whoever the trunk is asked for answers after 0.3 s."""
    program = [sipp(), "-sf", str(SCENARIOS / scenario), "-i", "127.0.0.1", "-p", str(port), "-d", "300"]
    answering = subprocess.Popen(
        [*program, "-mp", str(free_port()), "-nostdin"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        answering.kill()
        answering.wait(10)


@pytest.fixture
def by_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calling hours are all day: the tests are run at night too."""
    monkeypatch.setattr(outbound, "FIRST_HOUR", 0)
    monkeypatch.setattr(outbound, "LAST_HOUR", 24)


def test_a_callback_is_made_and_connected_and_a_stop_stops(
    asterisk: Start, sqlite_url: str, tmp_path: Path, by_day: None
) -> None:
    gateway = free_port()
    pbx = asterisk(replace(PLAN, trunk_port=gateway))
    engine = make_engine(url=sqlite_url)
    now = datetime.now(UTC)
    with session_scope(engine) as session:
        for number in range(3):
            _ask(session, f"k{number}", f"+86138000010{number:02}", now)
    address = Address(pbx.plan.ports.host, pbx.plan.ports.manager, PLAN.manager_user, PLAN.manager_secret)
    dialler = Dialler(address, engine)
    homes = tmp_path / "homes"
    homes.mkdir()
    phones = agents_at_their_phones(pbx.plan, tmp_path, scenario=SCENARIOS / "agent_hangs_up.xml")
    with phones, _customers_at_home(homes, gateway):
        running = threading.Thread(target=dialler.run)
        running.start()
        try:
            assert _eventually(lambda: _dispositions(engine) == ["connected"] * 3, 25), _dispositions(engine)
            with session_scope(engine) as session:
                actor = ivr.telephony_actor(session)
                outbound.stop(session, actor=actor, reason="test")
                _ask(session, "after", "+8613800001099", now)
            time.sleep(2)
            assert _dispositions(engine) == ["connected"] * 3 + [None]
            with session_scope(engine) as session:
                outbound.resume(session, actor=ivr.telephony_actor(session))
            assert _eventually(lambda: _dispositions(engine) == ["connected"] * 4, 15)
        finally:
            dialler.stop()
            running.join(60)
    with session_scope(engine) as session:
        made = session.scalars(select(Contact).where(Contact.direction == "out")).all()
        assert {one.external_id for one in made} == {f"crm-out-{n}-1" for n in range(1, 5)}
        for call in session.scalars(select(OutboundCall)):
            assert call.answered_at is not None
            assert call.connected_at is not None
    engine.dispose()


def _dispositions(engine: Engine) -> list[str | None]:
    with session_scope(engine) as session:
        return list(session.scalars(select(OutboundCall.disposition).order_by(OutboundCall.id)))


@pytest.mark.parametrize(
    ("number", "dialled"),
    [
        ("+8613891230000", "13891230000"),
        ("+862988880000", "02988880000"),
        ("+4930123456", "004930123456"),
        ("96766", "96766"),
    ],
)
def test_numbers_are_dialled_as_the_carrier_takes_them(number: str, dialled: str) -> None:
    assert dial_string(number) == dialled


def _event(name: str, **headers: str) -> Message:
    return Message((f"Event: {name}\r\n" + "".join(f"{key}: {value}\r\n" for key, value in headers.items())).encode())


class _Silent(Manager):
    """Asterisk without a channel."""

    def send_list(self, cdict: object) -> list[Message]:
        return []


class Reading(Dialler):
    """A dialler that only reads what Asterisk says of one call, `k`, and how that call was settled."""

    def __init__(self, *, preview: bool = False) -> None:
        super().__init__(Address("", 0, "", ""), make_engine(url="sqlite://"))
        self.settled: list[str] = []
        due = Due(1, "campaign", "+8613800000009", "general", None, None, 1, "k", is_preview=preview)
        self.flight = self._flying["k"] = _Flight(due, time.monotonic())

    def _finish(self, key: str, outcome: str) -> None:
        del self._flying[key]
        self.settled.append(outcome)

    def _note(self, key: str, *, connected: bool, now: datetime, agent: str | None = None) -> None:
        pass


def _settled(said: Sequence[Message], *, preview: bool = False) -> list[str]:
    """How the dialler reads the end of a call of which Asterisk says this, and then nothing for a while."""
    dialler = Reading(preview=preview)
    for one in said:
        dialler._take(one)
        dialler._settle_lost(_Silent())
    if dialler.flight.refused:
        dialler.flight.refused = dialler.flight.refused[0] - 3, dialler.flight.refused[1]
    dialler._settle_lost(_Silent())
    return dialler.settled


@pytest.mark.parametrize(
    ("status", "cause", "means"),
    [
        ("BUSY", "17", "busy"),
        ("CHANUNAVAIL", "17", "busy"),
        ("NOANSWER", "0", "no_answer"),
        ("CONGESTION", "34", "failed"),
    ],
)
def test_whatever_is_told_first_a_call_that_did_not_come_about_is_read_alike(
    status: str, cause: str, means: str
) -> None:
    """As seen of Asterisk 22: the reply to Originate says 0 for everything, and comes before or after the reason."""
    reply = _event("OriginateResponse", Uniqueid="k", Response="Failure", Reason="0")
    why = (_event("DialEnd", DestUniqueid="k", DialStatus=status), _event("Hangup", Uniqueid="k", Cause=cause))
    for said in ([reply, *why], [why[0], reply, why[1]], [*why, reply]):
        assert _settled(said) == [means]
        assert _settled(said, preview=True) == ["agent_away"]


def test_a_call_that_never_had_a_channel_has_failed() -> None:
    reply = _event("OriginateResponse", Uniqueid="k", Response="Failure", Reason="0")
    assert _settled([reply]) == ["failed"]
    assert _settled([reply], preview=True) == ["agent_away"]


def test_a_promised_call_rings_the_agent_first_and_ticks_off_the_promise(
    asterisk: Start, sqlite_url: str, tmp_path: Path, by_day: None
) -> None:
    gateway = free_port()
    plan = replace(PLAN, trunk_port=gateway, agents=PLAN.agents[:1])
    pbx, engine = asterisk(plan), make_engine(url=sqlite_url)
    with session_scope(engine) as session:
        create_demo_users(session)
        session.add(Queue(code="general", name_zh="综合", name_en="General", calendar_code="always"))
        session.add(Agent(code=plan.agents[0].code, name="甲"))
        session.flush()
        assign(session, username="agent", agent_code=plan.agents[0].code, kind="sip", queues=("general",))
        _promise(session, "+8613800001001", datetime.now(UTC))
    address = Address(pbx.plan.ports.host, pbx.plan.ports.manager, PLAN.manager_user, PLAN.manager_secret)
    dialler = Dialler(address, engine)
    homes = tmp_path / "homes"
    homes.mkdir()
    with (
        agents_at_their_phones(pbx.plan, tmp_path),
        _customers_at_home(homes, gateway, "agent_hangs_up.xml"),
    ):
        running = threading.Thread(target=dialler.run)
        running.start()
        try:
            assert _eventually(lambda: _dispositions(engine) == ["connected"], 20), _dispositions(engine)
        finally:
            dialler.stop()
            running.join(60)
    with session_scope(engine) as session:
        assert session.scalars(select(Callback.outcome)).all() == ["reached"]
        contact = session.scalars(select(Contact).where(Contact.direction == "out")).one()
        assert (contact.outcome, contact.remote_address) == ("answered", "+8613800001001")
    engine.dispose()
