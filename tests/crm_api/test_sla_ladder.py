"""Targets, promises and the ladder on stored tickets: which policy, what moves a promise, who is told, once."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from core.database import session_scope
from crm_api.bus import inbox
from crm_api.bus.models import Notification
from crm_api.errors import NotAllowedError
from crm_api.organisation.models import CalendarDay
from crm_api.sla.escalation import escalate
from crm_api.sla.models import Escalation, SlaPolicy
from crm_api.sla.upkeep import announce_change, recompute_next, resume_due
from crm_api.tickets import service
from crm_api.tickets.loop_models import TicketWork
from crm_api.tickets.models import Ticket, TicketEvent
from tests.crm_api.ticket_world import World, at


@pytest.fixture
def world(store: Engine) -> World:
    return World(store)


def policy_of(world: World, ticket_id: int) -> str:
    with session_scope(world.engine) as session:
        return str(session.get_one(TicketWork, ticket_id).clocks["resolution"]["policy"])


def fired(world: World, when: str | None = None) -> list[tuple[str, int]]:
    """What the ladder has sent by then: (clock, percent)."""
    with session_scope(world.engine) as session:
        if when:
            while escalate(session, now=at(when)).looked_at:
                pass
        rows = session.execute(select(Escalation.clock, Escalation.percent).order_by(Escalation.id))
        return [(clock, percent) for clock, percent in rows]


@pytest.mark.parametrize(
    ("values", "policy"),
    [
        ({}, "complaint"),
        ({"priority": "urgent"}, "urgent"),
        ({"complaint_type_code": "signal.digital_tv.no_picture"}, "signal"),
        ({"complaint_type_code": "signal", "priority": "high"}, "signal"),
        ({"service_type_code": "consultation"}, "any"),
        ({"service_type_code": "internal_maintenance", "priority": "high"}, "internal_maintenance"),
    ],
)
def test_the_first_policy_that_matches_applies(world: World, values: dict[str, str], policy: str) -> None:
    assert policy_of(world, world.open(values=values)) == policy


def test_a_key_customer_comes_first(world: World) -> None:
    with session_scope(world.engine) as session:
        customer = world.customer(session, "K1")
    assert policy_of(world, world.open(values={"customer_id": customer})) == "key_customer_fault"
    values = {"customer_id": customer, "service_type_code": "consultation"}
    assert policy_of(world, world.open(values=values)) == "key_customer"


def test_a_promise_follows_the_priority_and_keeps_its_pause(world: World) -> None:
    ticket_id = world.open()
    world.to(ticket_id, "in_progress")
    world.now = at("2026-03-02 10:00")
    world.step("baoji.branch_handler", ticket_id, "pend", pending_reason="part", pending_until=at("2026-03-04 10:00"))
    world.now = at("2026-03-02 14:59")
    world.step("baoji.branch_handler", ticket_id, "resume")
    # 22 h 30 min of office time since 09:01, without 10:01 to 15:00, of which 12:00 to 14:00 is no office time.
    assert world.ticket(ticket_id).resolution_due_at == at("2026-03-05 12:00")
    with session_scope(world.engine) as session:
        service.edit(
            session,
            actor=world.who("supervisor"),
            ticket_id=ticket_id,
            changes={"priority": "urgent"},
            expected_version=99,
            now=world.tick(),
        )
    # 12 h round the clock since 09:01, of which 10:01 to 15:00 was a pause.
    assert world.ticket(ticket_id).resolution_due_at == at("2026-03-03 02:00")
    with session_scope(world.engine) as session:
        events = service.history(session, actor=world.who("supervisor"), ticket_id=ticket_id)
        policies = [detail.clocks["resolution"]["policy"] for _, detail in events if detail]
        assert policies[0] == "complaint"
        assert policies[-1] == "urgent"
        told = service.explain(
            session, actor=world.who("supervisor"), ticket_id=ticket_id, clock="resolution", now=world.now
        )
        assert [each.reason_en for each in told.stretches if not each.counted] == ["On hold"]


def test_redispatching_restarts_nothing(world: World) -> None:
    ticket_id = world.open()
    due = world.ticket(ticket_id).first_response_due_at
    world.to(ticket_id, "dispatched")
    world.step("baoji.branch_lead", ticket_id, "return", reason="不属本地")
    world.step("dispatcher", ticket_id, "dispatch", unit_id=world.units["xian"])
    assert world.ticket(ticket_id).first_response_due_at == due
    world.step("xian.branch_lead", ticket_id, "accept")
    assert world.ticket(ticket_id).first_response_at == world.now


def test_a_new_day_off_moves_open_promises_and_no_ended_ones(world: World) -> None:
    running, ended = world.open(), world.open()
    world.to(ended, "resolved")
    before = [world.ticket(number).resolution_due_at for number in (running, ended)]
    with session_scope(world.engine) as session:
        day = session.scalars(
            select(CalendarDay).where(
                CalendarDay.calendar_code == "office", CalendarDay.day == at("2026-03-03 12:00").date()
            )
        ).one()
        day.follows_weekday, day.day_kind, day.is_correction = None, "holiday", True
        announce_change(session, actor=world.who("administrator"), kind="calendar", code="office", now=world.tick())
    with pytest.raises(NotAllowedError), session_scope(world.engine) as session:
        announce_change(session, actor=world.who("agent"), kind="policies")
    for _ in range(3):
        with session_scope(world.engine) as session:
            recompute_next(session, limit=1, now=world.tick())
    with session_scope(world.engine) as session:
        recompute_next(session, now=world.tick())
        assert recompute_next(session, now=world.tick()) == 0
    after = [world.ticket(number).resolution_due_at for number in (running, ended)]
    assert before[0] is not None
    assert after == [before[0] + timedelta(days=1), before[1]]
    with session_scope(world.engine) as session:
        last = session.scalars(
            select(TicketEvent).where(TicketEvent.ticket_id == running).order_by(TicketEvent.event_number.desc())
        ).first()
        assert last is not None
        assert (last.kind, last.actor_role, last.reason) == ("updated", "system", "calendar office")


def test_a_policy_changed_in_place_reaches_open_tickets(world: World) -> None:
    ticket_id = world.open()
    with session_scope(world.engine) as session:
        policy = session.scalars(select(SlaPolicy).where(SlaPolicy.code == "complaint")).one()
        policy.resolution_seconds = 3600
        announce_change(session, actor=world.who("administrator"), kind="policies", now=world.tick())
        recompute_next(session, now=world.tick())
    assert world.ticket(ticket_id).resolution_due_at == at("2026-03-02 10:01")


def test_the_ladder_tells_each_step_once_and_in_business_hours(world: World) -> None:
    # Complaint: first response 2 h, resolution 22 h 30 min of office time from 09:01.
    world.open()
    assert fired(world, "2026-03-02 10:00:59") == []
    assert fired(world, "2026-03-02 10:01") == [("first_response", 50)]
    assert fired(world, "2026-03-02 10:01") == [("first_response", 50)]
    first = [("first_response", percent) for percent in (50, 75, 100)]
    assert fired(world, "2026-03-02 10:31") == first[:2]
    # All of it is used up at 11:01, but nobody looked before noon: it waits for the afternoon.
    assert fired(world, "2026-03-02 12:30") == first[:2]
    assert fired(world, "2026-03-02 14:00") == first
    assert fired(world, "2026-03-02 14:01") == [*first, ("first_response", 150)]


def test_who_is_told(world: World) -> None:
    ticket_id = world.open()
    world.to(ticket_id, "in_progress")
    fired(world, "2026-03-20 10:00")
    with session_scope(world.engine) as session:
        told = session.execute(
            select(Notification.username, Notification.role, Notification.unit_id).order_by(Notification.id)
        ).all()
        assert [tuple(each) for each in told] == [
            ("baoji.branch_handler", None, world.units["baoji"]),
            (None, "branch_lead", world.units["baoji"]),
            (None, "branch_manager", world.units["baoji"]),
            (None, "supervisor", None),
            (None, "manager", None),
        ]
        (mine,) = inbox.inbox(session, actor=world.who("baoji.branch_lead"))
        assert "75%" in mine.text_zh
        inbox.mark_read(session, actor=world.who("baoji.branch_lead"), notification_id=mine.id)
        assert inbox.inbox(session, actor=world.who("baoji.branch_lead"), unread_only=True) == []
        assert inbox.inbox(session, actor=world.who("xian.branch_lead")) == []


def test_a_step_is_looked_at_again_before_it_is_sent(world: World) -> None:
    ticket_id = world.open()
    world.to(ticket_id, "resolved")
    with session_scope(world.engine) as session:
        session.get_one(TicketWork, ticket_id).next_step_at = at("2026-03-02 09:00")
    assert fired(world, "2026-03-20 10:00") == []
    with session_scope(world.engine) as session:
        assert session.get_one(TicketWork, ticket_id).next_step_at is None


def test_a_paused_ticket_climbs_no_ladder(world: World) -> None:
    world.open(pending={"reason": "customer", "until": at("2026-04-01 09:00")})
    assert fired(world, "2026-03-20 10:00") == []


def test_imported_tickets_never_escalate(world: World) -> None:
    with session_scope(world.engine) as session:
        ticket = Ticket(
            code="F1", channel_code="voice", service_type_code="complaint", state="new", source="old_centre",
            created_at=at("2020-01-02 09:00"),
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        version = session.scalars(select(TicketWork.process_version_id)).first() or 1
        session.add(
            TicketWork(
                ticket_id=ticket.id, process_version_id=version, state_since=at("2020-01-02 09:00"),
                clocks={"resolution": {"policy": "any", "calendar": "office", "target_seconds": 60}},
                next_step_at=at("2020-01-02 09:00"),
            )
        )  # fmt: skip
    assert fired(world, "2026-03-20 10:00") == []


def test_a_pause_ends_when_it_was_promised_to(world: World) -> None:
    ticket_id = world.open(pending={"reason": "weather", "until": at("2026-03-03 09:00")})
    with session_scope(world.engine) as session:
        assert resume_due(session, now=at("2026-03-03 08:59")) == 0
        assert resume_due(session, now=at("2026-03-03 09:00")) == 1
        assert resume_due(session, now=at("2026-03-03 09:00")) == 0
        assert session.scalar(select(func.count()).where(TicketWork.pending_until.is_not(None))) == 0
    assert world.ticket(ticket_id).state == "new"
    assert world.disagreements(ticket_id) == []
