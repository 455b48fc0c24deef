"""The closed loop: work starts at the province and ends at the province, and every step is in the history."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from core.database import session_scope
from crm_api.errors import ConflictError, InvalidError, NotAllowedError, NotFoundError
from crm_api.tickets import service
from crm_api.tickets.errors import EditedMeanwhileError, MissingFieldsError, WrongStateError
from crm_api.tickets.loop_models import TicketEventDetail, TicketWork
from crm_api.tickets.models import Ticket, TicketEvent
from tests.crm_api.ticket_world import World


@pytest.fixture
def world(store: Engine) -> World:
    return World(store)


def kinds(world: World, ticket_id: int) -> list[str]:
    with session_scope(world.engine) as session:
        rows = session.scalars(
            select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket_id).order_by(TicketEvent.event_number)
        )
        return list(rows)


def test_a_complaint_goes_to_baoji_and_back_is_rejected_once_and_closed(world: World) -> None:
    ticket_id = world.open()
    world.to(ticket_id, "in_review")
    world.step("reviewer", ticket_id, "reject", reason="未回电客户")
    assert world.ticket(ticket_id).resolved_at is None
    world.step("baoji.branch_handler", ticket_id, "resolve", resolution="已回电")
    world.step("reviewer", ticket_id, "begin_review")
    world.step("reviewer", ticket_id, "approve")
    world.call_back(ticket_id, score=5)
    world.step("reviewer", ticket_id, "close")
    assert kinds(world, ticket_id) == [
        "created", "dispatched", "accepted", "started", "resolved", "review_started", "rejected", "resolved",
        "review_started", "approved", "closed",
    ]  # fmt: skip
    ticket = world.ticket(ticket_id)
    assert ticket.state == "closed"
    assert ticket.resolved_at is not None
    assert ticket.closed_at is not None
    assert ticket.resolved_at < ticket.closed_at
    assert world.disagreements(ticket_id) == []


def test_every_step_records_who_from_where_why_and_the_clocks(world: World) -> None:
    ticket_id = world.open()
    world.to(ticket_id, "dispatched")
    world.step("baoji.branch_lead", ticket_id, "return", reason="不属本地")
    with session_scope(world.engine) as session:
        event, detail = service.history(session, actor=world.who("dispatcher"), ticket_id=ticket_id)[-1]
        assert (event.actor, event.actor_role, event.unit_id) == (
            "baoji.branch_lead",
            "branch_lead",
            world.units["baoji"],
        )
        assert event.reason == "不属本地"
        assert event.occurred_at == world.now
        assert detail is not None
        assert detail.clocks["resolution"]["elapsed_seconds"] == 120
        assert detail.clocks["resolution"]["policy"] == "complaint"
        assert detail.clocks["resolution"]["standing"] == "running"


def test_history_is_append_only_in_the_database(world: World) -> None:
    ticket_id = world.open()
    for statement in (
        "UPDATE ticket_events SET reason = 'x' WHERE ticket_id = :id",
        "DELETE FROM ticket_events WHERE ticket_id = :id",
        "UPDATE ticket_event_details SET action = 'x'",
        "DELETE FROM ticket_event_details",
    ):
        with pytest.raises(DBAPIError), world.engine.begin() as connection:
            connection.execute(text(statement), {"id": ticket_id} if ":id" in statement else {})


@pytest.mark.parametrize("name", ["baoji.branch_handler", "baoji.branch_manager", "agent", "manager", "administrator"])
def test_who_is_not_of_the_province_cannot_close(world: World, name: str) -> None:
    ticket_id = world.open()
    world.to(ticket_id, "follow_up")
    world.call_back(ticket_id)
    with pytest.raises(NotAllowedError):
        world.step(name, ticket_id, "close")
    assert world.ticket(ticket_id).state == "follow_up"


def test_a_foreign_branch_does_not_even_find_it(world: World) -> None:
    ticket_id = world.open()
    world.to(ticket_id, "dispatched")
    with pytest.raises(NotFoundError):
        world.step("xian.branch_handler", ticket_id, "accept")


def test_a_question_answered_at_once_closes_without_a_branch(world: World) -> None:
    ticket_id = world.open(values={"service_type_code": "consultation"})
    world.step("agent", ticket_id, "close_at_once", resolution="已告知资费")
    ticket = world.ticket(ticket_id)
    assert ticket.state == "closed"
    assert ticket.first_response_at == ticket.resolved_at == ticket.closed_at
    world.step("dispatcher", ticket_id, "reopen_undispatched", reason="客户再次来电")
    assert world.ticket(ticket_id).state == "new"
    assert world.disagreements(ticket_id) == []


def test_what_was_dispatched_is_no_longer_answered_at_once(world: World) -> None:
    ticket_id = world.open()
    world.to(ticket_id, "closed")
    with pytest.raises(WrongStateError, match="dispatched"):
        world.step("supervisor", ticket_id, "reopen_undispatched", reason="x")
    world.step("supervisor", ticket_id, "reopen", reason="复发")
    with pytest.raises(WrongStateError):
        world.step("supervisor", ticket_id, "close_at_once", resolution="x")


def test_a_step_says_what_it_still_needs(world: World) -> None:
    ticket_id = world.open()
    world.to(ticket_id, "in_progress")
    with pytest.raises(MissingFieldsError, match="resolution") as refused:
        world.step("baoji.branch_handler", ticket_id, "resolve", resolution="  ")
    assert refused.value.fields == ["resolution"]
    with pytest.raises(InvalidError, match="over"):
        world.step("baoji.branch_handler", ticket_id, "pend", pending_reason="part", pending_until=world.now)
    with pytest.raises(InvalidError, match="city branch"):
        world.step("dispatcher", world.open(), "dispatch", unit_id=world.units["baoji.qishan"])


def test_the_customer_is_asked_before_it_closes(world: World) -> None:
    ticket_id = world.open()
    world.to(ticket_id, "follow_up")
    with pytest.raises(WrongStateError, match="not asked"):
        world.step("reviewer", ticket_id, "close")
    for _ in range(3):
        world.call_back(ticket_id, "no_answer")
    world.step("reviewer", ticket_id, "close")
    assert world.ticket(ticket_id).state == "closed"


def test_reopening_ends_after_thirty_days(world: World) -> None:
    ticket_id = world.open()
    world.to(ticket_id, "closed")
    world.tick(days=30)
    with pytest.raises(WrongStateError, match="30 days"):
        world.step("supervisor", ticket_id, "reopen", reason="复发")


def test_the_same_key_opens_one_ticket(world: World) -> None:
    first = world.open(idempotency_key="call-77")
    assert world.open(idempotency_key="call-77") == first
    with pytest.raises(ConflictError, match="another request"):
        world.open(idempotency_key="call-77", values={"title": "别的"})
    assert world.open("dispatcher", idempotency_key="call-77") != first


@pytest.mark.parametrize(
    "values",
    [
        {"service_type_code": "moonlight"},
        {"customer_id": 999_999},
        {"customer_id": "1; DROP TABLE tickets"},
        {"priority": "whenever"},
        {"title": "x" * 301},
        {"title": "null\x00byte"},
        {"state": "closed"},
        {"parent_id": 1},
        {"channel_code": None},
    ],
)
def test_a_ticket_of_nonsense_is_refused(world: World, values: dict[str, object]) -> None:
    with pytest.raises(InvalidError):
        world.open(values=values)


def test_two_people_editing_different_fields_both_succeed(world: World) -> None:
    ticket_id = world.open()
    with session_scope(world.engine) as session:
        seen = service.get(session, actor=world.who("agent"), ticket_id=ticket_id).version
    for name, changes in (("agent", {"title": "马赛克"}), ("supervisor", {"priority": "high"})):
        with session_scope(world.engine) as session:
            service.edit(session, actor=world.who(name), ticket_id=ticket_id, changes=changes, expected_version=seen)
    ticket = world.ticket(ticket_id)
    assert (ticket.title, ticket.priority) == ("马赛克", "high")
    with pytest.raises(EditedMeanwhileError) as refused, session_scope(world.engine) as session:
        service.edit(
            session,
            actor=world.who("dispatcher"),
            ticket_id=ticket_id,
            changes={"title": "雪花", "priority": "high", "product_code": "digital_tv"},
            expected_version=seen,
        )
    assert set(refused.value.differences) == {"title"}
    assert refused.value.differences["title"].theirs == "马赛克"
    assert refused.value.differences["title"].actor == "agent"
    assert world.disagreements(ticket_id) == []


def test_a_step_on_a_ticket_that_moved_on_is_refused(world: World) -> None:
    ticket_id = world.open()
    with pytest.raises(EditedMeanwhileError, match="state"), session_scope(world.engine) as session:
        world.to(ticket_id, "dispatched")
        service.transition(
            session,
            actor=world.who("dispatcher"),
            ticket_id=ticket_id,
            step="cancel",
            reason="重复",
            expected_version=1,
        )


def test_a_ticket_loaded_in_bulk_is_taken_into_the_loop(world: World) -> None:
    with session_scope(world.engine) as session:
        ticket = Ticket(
            code="B1", channel_code="voice", service_type_code="complaint", state="accepted",
            unit_id=world.units["baoji"], created_at=world.now,
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        ticket_id = ticket.id
        for number, (kind, state) in enumerate(
            [("created", "new"), ("dispatched", "dispatched"), ("accepted", "accepted")], start=1
        ):
            session.add(
                TicketEvent(
                    ticket_id=ticket.id, event_number=number, kind=kind, to_state=state, actor_role="system",
                    occurred_at=world.now + timedelta(minutes=number - 1),
                )
            )  # fmt: skip
    world.step("baoji.branch_handler", ticket_id, "start")
    with session_scope(world.engine) as session:
        assert session.get_one(TicketWork, ticket_id).next_step_at is not None
        assert session.get_one(Ticket, ticket_id).resolution_due_at is not None


def test_imported_history_is_not_worked(world: World) -> None:
    with session_scope(world.engine) as session:
        ticket = Ticket(
            code="F1", channel_code="voice", service_type_code="complaint", state="new", source="old_centre",
            created_at=datetime(2020, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        ticket_id = ticket.id
    with pytest.raises(WrongStateError, match="imported"):
        world.step("dispatcher", ticket_id, "dispatch", unit_id=world.units["baoji"])


def test_each_event_has_its_details(world: World) -> None:
    ticket_id = world.open(template_code="digital_tv_no_picture")
    with session_scope(world.engine) as session:
        assert session.scalar(select(func.count()).select_from(TicketEventDetail)) == 1
        assert session.get_one(Ticket, ticket_id).product_code == "digital_tv"
    world.to(ticket_id, "in_progress")
    with pytest.raises(WrongStateError, match="checklist"):
        world.step("baoji.branch_handler", ticket_id, "resolve", resolution="好了")
