"""Call lists through the dialler: each rule asked right before the call, campaigns dialled by a real Asterisk."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from core.actor import Actor
from core.database import make_engine, session_scope
from crm_api.campaigns import desk, dialling
from crm_api.campaigns.models import CallAttempt, CallListEntry, Campaign
from crm_api.campaigns.settings import campaign_settings
from crm_api.contacts.models import Contact, QueueVisit
from crm_api.customers.models import Consent, CustomerPhone
from crm_api.identity.service import create_demo_users
from crm_api.routing import ivr, outbound, outbound_lists
from crm_api.routing.outbound_models import OutboundCall
from crm_api.routing.phones import assign
from crm_api.workforce.models import Agent, Queue
from telephony.ami_wire import Message
from telephony.dialler import CallList, Dialler
from telephony.listener import Address, Listener
from telephony.pacing import Moment, may_preview, may_ring
from tests.crm_api import test_campaigns as lists
from tests.servers import free_port
from tests.telephony.conftest import Start
from tests.telephony.phones import agents_at_their_phones
from tests.telephony.test_dialler import _customers_at_home
from tests.telephony.test_listener import _eventually
from tests.telephony.test_real_asterisk import PLAN

NOW = lists.NOW
AGENT = Actor(username="agent", role="agent", unit_id=1, unit_kind="province")


@pytest.fixture(autouse=True)
def nobody_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small stores: nobody is left out by lot."""
    monkeypatch.setattr(campaign_settings(), "global_holdout_percent", 0)


def _running(session: Session, numbers: list[int]) -> Campaign:
    for number in numbers:
        lists.add(session, number)
    if session.scalar(select(Queue.id).where(Queue.code == "general")) is None:
        session.add(Queue(code="general", name_zh="综合", name_en="General", calendar_code="always"))
        session.flush()
    made = lists.campaign(session)
    lists.build(session, made)
    lists.run(session, made)
    return made


def _adopt(session: Session, made: Campaign, *, now: Any = NOW, mode: str = "progressive") -> list[outbound.Due]:
    outbound_lists.adopt(session, campaign_id=made.id, queue="general", limit=9, mode=mode, now=now)
    return outbound.due_calls(session, now=now)


def _entry(session: Session) -> CallListEntry:
    return session.scalars(select(CallListEntry).execution_options(populate_existing=True)).one()


def _withdraw(session: Session, customer: int) -> None:
    no = Consent(customer_id=customer, channel="voice", purpose="marketing", granted=False, valid_from=lists.DAY)
    session.add(no)


def _close_number(session: Session, customer: int) -> None:
    session.execute(update(CustomerPhone).where(CustomerPhone.customer_id == customer).values(do_not_call=True))


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (_withdraw, "no_consent"),
        (_close_number, "do_not_call"),
        (lists._called_out, "frequency_cap"),
        (lists._ticket, "open_complaint"),
    ],
)
def test_what_became_forbidden_after_the_call_was_chosen_is_not_dialled(
    store: Engine, meanwhile: Callable[[Session, int], None], why: str
) -> None:
    with session_scope(store) as session:
        made = _running(session, [1])
        (due,) = _adopt(session, made)
        meanwhile(session, _entry(session).customer_id)
        session.flush()
        assert outbound.begin(session, due, now=NOW) == why
        assert (_entry(session).state, _entry(session).stop_reason) == ("stopped", why)
        assert session.scalar(select(func.count()).where(Contact.channel_code == "voice")) == 0
        assert _adopt(session, made) == []


def test_who_may_not_be_called_at_this_hour_is_called_the_next_morning(store: Engine) -> None:
    evening, night, morning = NOW.replace(hour=19, minute=59), NOW.replace(hour=20), NOW + timedelta(days=1)
    with session_scope(store) as session:
        made = _running(session, [1])
        (due,) = _adopt(session, made, now=evening)
        assert outbound.begin(session, due, now=night) == "calling_hours"
        assert _adopt(session, made, now=night) == []
        (again,) = _adopt(session, made, now=morning)
        assert outbound.begin(session, again, now=morning) is None


def test_an_entry_that_somebody_else_has_taken_meanwhile_is_not_dialled(store: Engine) -> None:
    later = NOW + timedelta(minutes=20)
    with session_scope(store) as session:
        made = _running(session, [1])
        (due,) = _adopt(session, made)
        assert dialling.next_entries(session, campaign_id=made.id, limit=1, worker="agent", now=later)
        assert outbound.begin(session, due, now=later) == "not_taken"
        assert _entry(session).reserved_by == "agent"


def test_who_was_spoken_to_is_not_rung_again_whatever_the_agent_forgets(store: Engine) -> None:
    with session_scope(store) as session:
        create_demo_users(session)
        assign(session, username="agent", agent_code="7001", kind="sip")
        made = _running(session, [1])
        (due,) = _adopt(session, made)
        assert outbound.begin(session, due, now=NOW) is None
        outbound.note_answer(session, due.key, connected=True, now=NOW, agent="7001")
        outbound.finish(session, due.key, "connected", now=NOW)
        assert (_entry(session).reserved_by, _entry(session).state) == ("agent", "reserved")
        assert _adopt(session, made, now=NOW + timedelta(hours=1)) == []
        assert _adopt(session, made, now=NOW + timedelta(hours=5)) == []
        attempt = session.scalars(select(CallAttempt)).one()
        assert (attempt.outcome, _entry(session).state) == ("undecided", "done")


def test_a_preview_that_its_agent_does_not_take_costs_the_customer_nothing(store: Engine) -> None:
    with session_scope(store) as session:
        made = _running(session, [1])
        (due,) = _adopt(session, made, mode="preview")
        assert due.is_preview
        assert outbound.begin(session, due, now=NOW, username="agent") is None
        assert _entry(session).reserved_by == "agent", "the entry lies on the desk while the phone rings"
        outbound.finish(session, due.key, "agent_away", now=NOW)
        assert (_entry(session).state, _entry(session).attempts) == ("waiting", 0)
        assert session.scalars(select(Contact).where(Contact.deleted_at.is_(None))).all() == []
        assert _adopt(session, made) == []
        later = NOW + timedelta(minutes=2)
        (again,) = _adopt(session, made, now=later, mode="preview")
        assert again.key != due.key
        assert outbound.begin(session, again, now=later, username="agent") is None


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 30),
    st.floats(0.0, 0.08),
    st.floats(0.1, 0.9),
    st.integers(1, 8),
    st.integers(5, 60),
    st.integers(0, 10**6),
)
def test_whatever_the_floor_is_like_few_customers_find_nobody(
    agents: int, vanishing: float, answering: float, ringing_ticks: int, talking_ticks: int, seed: int
) -> None:
    """A day by half seconds: phones ring for a while, agents talk, and free ones walk off or take other calls."""
    chance = random.Random(seed)
    free, talking, ringing, answered, abandoned = agents, [0], [], 0, 0
    back: list[int] = []
    for now in range(3000):
        free += talking.count(now) + back.count(now)
        talking, back = [end for end in talking if end > now], [end for end in back if end > now]
        gone = sum(chance.random() < vanishing / 20 for _ in range(free))
        free -= gone
        back += [now + 40] * gone
        rung = may_ring(Moment(free, len(ringing), 0, answered, abandoned))
        assert len(ringing) + rung <= max(free, len(ringing))
        ringing += [now + ringing_ticks] * rung
        for _ in range(ringing.count(now)):
            if chance.random() < answering:
                answered += 1
                if free:
                    free -= 1
                    talking.append(now + talking_ticks)
                else:
                    abandoned += 1
        ringing = [end for end in ringing if end > now]
    assert abandoned <= max(1, outbound.ABANDONED_AT_MOST * answered), (answered, abandoned)


def test_a_preview_waits_for_those_who_wait() -> None:
    assert may_preview(Moment(free_agents=1, in_flight=0, waiting_callers=0, answered=0, abandoned=0)) == 1
    assert may_preview(Moment(free_agents=1, in_flight=0, waiting_callers=1, answered=0, abandoned=0)) == 0


@pytest.fixture
def any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calling hours are always: the tests are run at night too."""
    monkeypatch.setattr(dialling, "may_call_at", lambda campaign, at, holidays: None)
    monkeypatch.setattr(outbound, "FIRST_HOUR", 0)
    monkeypatch.setattr(outbound, "LAST_HOUR", 24)


@contextmanager
def _at_work(address: Address, engine: Engine, folder: Path, call_list: CallList) -> Iterator[list[Message]]:
    """The dialler and the listener; what agents' phones were told when they rang."""
    rang: list[Message] = []
    dialler = Dialler(address, engine, lists=(call_list,))
    listener = Listener(address, engine, folder, on_event=lambda one: rang.append(one))
    running = [threading.Thread(target=one.run) for one in (listener, dialler)]
    for one in running:
        one.start()
    try:
        yield rang
    finally:
        dialler.stop()
        listener.stop()
        for one in running:
            one.join(60)


def _calls(engine: Engine) -> dict[str, OutboundCall]:
    """Last four digits of the number -> call."""
    with session_scope(engine) as session:
        return {one.number[-4:]: one for one in session.scalars(select(OutboundCall).order_by(OutboundCall.id))}


def _told(engine: Engine) -> dict[str, str | None]:
    return {number: one.disposition for number, one in _calls(engine).items()}


def test_a_campaign_is_dialled_told_and_stopped(
    asterisk: Start, sqlite_url: str, tmp_path: Path, any_time: None
) -> None:
    gateway, engine = free_port(), make_engine(url=sqlite_url)
    pbx = asterisk(replace(PLAN, trunk_port=gateway))
    with session_scope(engine) as session:
        create_demo_users(session)
        for username, agent in zip(("agent", "agent2", "reviewer", "supervisor"), pbx.plan.agents, strict=True):
            session.add(Agent(code=agent.code, name=username))
            session.flush()
        made = _running(session, [1, 2, 3, 9, 11, 7, 8])
        for username, agent in zip(("agent", "agent2", "reviewer", "supervisor"), pbx.plan.agents, strict=True):
            assign(session, username=username, agent_code=agent.code, kind="sip", queues=("general",))
        late = select(CustomerPhone.customer_id).where(CustomerPhone.e164.regexp_match("(7|8)$"))
        put_off = update(CallListEntry).where(CallListEntry.customer_id.in_(late))
        session.execute(put_off.values(next_attempt_at=outbound.utc_now() + timedelta(days=1)))
        session.execute(update(CustomerPhone).where(CustomerPhone.e164.endswith("11")).values(do_not_call=True))
        campaign_id = made.id
    address = Address(pbx.plan.ports.host, pbx.plan.ports.manager, PLAN.manager_user, PLAN.manager_secret)
    homes = tmp_path / "homes"
    homes.mkdir()
    with (
        agents_at_their_phones(pbx.plan, tmp_path),
        _customers_at_home(homes, gateway, "customer.xml"),
        _at_work(address, engine, tmp_path / "journal", CallList(campaign_id, "general")) as heard,
    ):
        expected = {"0001": "connected", "0002": "connected", "0003": "connected", "0009": "busy"}
        assert _eventually(lambda: _told(engine) == expected, 60), _told(engine)
        _check_told(engine, heard)
        with session_scope(engine) as session:
            session.execute(update(CallListEntry).where(CallListEntry.attempts == 0).values(next_attempt_at=None))
        assert _eventually(lambda: {"0007", "0008"} <= _calls(engine).keys(), 20)
        assert _eventually(lambda: _calls(engine)["0007"].connected_at and _calls(engine)["0008"].dialled_at, 20)
        with session_scope(engine) as session:
            outbound.stop(session, actor=ivr.telephony_actor(session), reason="test")
        assert _eventually(lambda: _told(engine)["0008"] is not None, 3), "what rings is hung up"
        shown = pbx.command("core show channels concise").stdout
        assert "PJSIP/trunk" in shown, "conversations go on"
        assert _told(engine)["0007"] is None
    engine.dispose()


def _check_told(engine: Engine, heard: list[Message]) -> None:
    """Whoever was spoken to is on the desk of the agent who spoke, who tells what was said, once for one call."""
    pops = {one.headers["CallerIDNum"]: one.variables for one in heard if one.name == "AgentCalled"}
    assert pops.keys() == {f"+86130000000{n:02}" for n in (1, 2, 3)}, "the customer's number rings, not our own"
    assert {one["CRM_IVR_PATH"] for one in pops.values()} == {"campaign"}
    calls = _calls(engine)
    assert _eventually(lambda: _visited(engine) == {one.external_id for one in calls.values() if one.connected_at}, 5)
    with session_scope(engine) as session:
        stopped = session.scalars(select(CallListEntry.stop_reason).where(CallListEntry.state == "stopped")).all()
        assert stopped == ["do_not_call"], "and nobody rang there"
        for number in ("0001", "0002", "0003"):
            call = calls[number]
            actor = replace(AGENT, username=str(call.username))
            entry = outbound_lists.entry_of(call)
            told = desk.tell_outcome(session, entry, "accepted", actor=actor, external_id="t", talk_seconds=1)
            contact = session.get_one(Contact, told.contact_id)
            assert (contact.external_id, contact.outcome) == (call.external_id, "answered")
            assert (contact.direction, contact.remote_address) == ("out", call.number)
        busy = session.scalars(select(CallAttempt).where(CallAttempt.outcome == "busy")).one()
        assert busy.external_id == calls["0009"].external_id
        states = select(CallListEntry.state, CallListEntry.outcome).where(CallListEntry.outcome.is_not(None))
        assert sorted(session.execute(states).all()) == [("done", "accepted")] * 3 + [("waiting", "busy")]
        record = outbound.last_day(session, now=outbound.utc_now())
        assert record == outbound.Record(answered=3, abandoned=0)


def _visited(engine: Engine) -> set[str]:
    """Keys of the outgoing calls that the listener saw answered by an agent."""
    with session_scope(engine) as session:
        rows = select(Contact.external_id).join(QueueVisit, QueueVisit.contact_id == Contact.id)
        return set(session.scalars(rows.where(Contact.direction == "out", QueueVisit.exit_class == "answered")))


def test_a_preview_rings_the_agent_first_and_shows_whom(
    asterisk: Start, sqlite_url: str, tmp_path: Path, any_time: None
) -> None:
    from crm_api.bus.models import OutboxMessage

    gateway, engine = free_port(), make_engine(url=sqlite_url)
    pbx = asterisk(replace(PLAN, trunk_port=gateway, agents=PLAN.agents[:1]))
    with session_scope(engine) as session:
        create_demo_users(session)
        campaign_id = _running(session, [1, 2]).id
        assign(session, username="agent", agent_code=pbx.plan.agents[0].code, kind="sip", queues=("general",))
    address = Address(pbx.plan.ports.host, pbx.plan.ports.manager, PLAN.manager_user, PLAN.manager_secret)
    homes = tmp_path / "homes"
    homes.mkdir()
    with (
        agents_at_their_phones(pbx.plan, tmp_path),
        _customers_at_home(homes, gateway, "customer.xml"),
        _at_work(address, engine, tmp_path / "journal", CallList(campaign_id, "general", "preview")),
    ):
        assert _eventually(lambda: _told(engine) == {"0001": "connected", "0002": "connected"}, 40), _told(engine)
    with session_scope(engine) as session:
        pops = [
            one.payload for one in session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "screen_pop"))
        ]
        assert [(one["username"], one["path"]) for one in pops] == [("agent", "campaign")] * 2
        assert {one["number"] for one in pops} == {one.number for one in session.scalars(select(OutboundCall))}
        assert {one.reserved_by for one in session.scalars(select(CallListEntry))} == {"agent"}
        contacts = session.scalars(select(Contact).where(Contact.direction == "out")).all()
        assert [(one.outcome, one.agent_id is not None) for one in contacts] == [("answered", True)] * 2
    engine.dispose()
