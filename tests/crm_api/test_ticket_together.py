"""Work that several share: counties, children of an outage, comments, the follow-up queue, bulk actions."""

import pytest
from sqlalchemy import Engine, select

from core.database import session_scope
from crm_api.contacts.models import SurveyAnswer
from crm_api.errors import ConflictError, InvalidError, NotAllowedError, NotFoundError
from crm_api.tickets import assignments, bulk, checklists, comments, follow_up, proposals, relations, service
from crm_api.tickets.errors import WrongStateError
from crm_api.tickets.models import Ticket
from tests.crm_api.ticket_world import World


@pytest.fixture
def world(store: Engine) -> World:
    return World(store)


class TestCounties:
    def test_a_county_works_and_the_branch_keeps_the_ticket(self, world: World) -> None:
        ticket_id, county = world.open(), world.units["baoji.qishan"]
        world.to(ticket_id, "in_progress")
        with session_scope(world.engine) as session:
            with pytest.raises(NotFoundError):
                service.get(session, actor=world.who("baoji.qishan"), ticket_id=ticket_id)
            assignments.sub_dispatch(
                session, actor=world.who("baoji.branch_lead"), ticket_id=ticket_id, unit_id=county, now=world.tick()
            )
            view = service.get(session, actor=world.who("baoji.qishan"), ticket_id=ticket_id, now=world.now)
            assert view.ticket.state == "in_progress"
            assert view.options == []
        with pytest.raises(WrongStateError, match="county still works"):
            world.step("baoji.branch_handler", ticket_id, "resolve", resolution="好了")
        with session_scope(world.engine) as session:
            assignments.return_to_branch(
                session,
                actor=world.who("baoji.qishan"),
                ticket_id=ticket_id,
                unit_id=county,
                reason="已换线",
                now=world.tick(),
            )
            (sent,) = assignments.assignments(session, actor=world.who("baoji.qishan"), ticket_id=ticket_id)
            assert (sent.sent_by, sent.returned_by) == ("baoji.branch_lead", "baoji.qishan")
        world.to(ticket_id, "closed")
        assert world.disagreements(ticket_id) == []

    def test_only_to_its_own_counties_and_once_at_a_time(self, world: World) -> None:
        ticket_id = world.open()
        world.to(ticket_id, "accepted")
        lead = world.who("baoji.branch_lead")

        def send(code: str, name: str = "baoji.branch_lead") -> None:
            with session_scope(world.engine) as session:
                assignments.sub_dispatch(
                    session, actor=world.who(name), ticket_id=ticket_id, unit_id=world.units[code], now=world.tick()
                )

        with pytest.raises(InvalidError, match="no county of your branch"):
            send("xian.beilin")
        with pytest.raises(NotAllowedError):
            send("baoji.qishan", "dispatcher")
        send("baoji.qishan")
        send("baoji.jintai")
        with pytest.raises(WrongStateError, match="already"):
            send("baoji.qishan")
        with pytest.raises(NotAllowedError), session_scope(world.engine) as session:
            assignments.return_to_branch(
                session,
                actor=world.who("baoji.qishan"),
                ticket_id=ticket_id,
                unit_id=world.units["baoji.jintai"],
                reason="x",
            )
        world.step("dispatcher", ticket_id, "cancel", reason="客户撤诉")
        with session_scope(world.engine) as session:
            sent = assignments.assignments(session, actor=lead, ticket_id=ticket_id)
            assert all(each.returned_by == "dispatcher" for each in sent)
        assert world.disagreements(ticket_id) == []


class TestOutage:
    def test_children_hold_the_parent_and_come_to_review_together(self, world: World) -> None:
        parent = world.open("dispatcher", values={"kind": "outage", "title": "岐山光缆中断"})
        children = [world.open() for _ in range(3)]
        for child in children:
            with session_scope(world.engine) as session:
                relations.attach(
                    session, actor=world.who("dispatcher"), ticket_id=child, parent_id=parent, now=world.tick()
                )
            world.to(child, "in_progress")
        world.to(parent, "in_progress")
        with pytest.raises(WrongStateError, match="open children"):
            world.step("baoji.branch_handler", parent, "resolve", resolution="接通")
        with session_scope(world.engine) as session:
            bulk.carry_out(
                session,
                actor=world.who("baoji.branch_handler"),
                ticket_ids=children,
                action="resolve",
                parameters={"resolution": "光缆修复"},
                now=world.tick(),
            )
        world.to(parent, "closed")
        with session_scope(world.engine) as session:
            ((proposed, waiting),) = proposals.proposals(session, actor=world.who("reviewer"))
            assert (proposed.parent_id, waiting) == (parent, children)
            _, outlooks = bulk.carry_out(session, actor=world.who("reviewer"), bulk_id=proposed.id, now=world.tick())
            assert [each.to_state for each in outlooks] == ["in_review"] * 3
            assert proposals.proposals(session, actor=world.who("reviewer")) == []

    def test_no_circles(self, world: World) -> None:
        first, second = world.open(), world.open()
        with session_scope(world.engine) as session:
            supervisor = world.who("supervisor")
            relations.attach(session, actor=supervisor, ticket_id=first, parent_id=second)
            with pytest.raises(WrongStateError, match="above"):
                relations.attach(session, actor=supervisor, ticket_id=second, parent_id=first)
            relations.attach(session, actor=supervisor, ticket_id=first, parent_id=None)

    def test_links_stand_once(self, world: World) -> None:
        first, second = world.open(), world.open()
        with session_scope(world.engine) as session:
            agent = world.who("agent")
            relations.link(session, actor=agent, ticket_id=first, other_id=second, kind="duplicate")
            with pytest.raises(ConflictError):
                relations.link(session, actor=agent, ticket_id=first, other_id=second, kind="duplicate")
            assert len(relations.links(session, actor=agent, ticket_id=second)) == 1


class TestComments:
    def test_the_first_answer_to_a_letter_stops_the_first_response(self, world: World) -> None:
        ticket_id = world.open(values={"channel_code": "letter"})
        with session_scope(world.engine) as session:
            comments.comment(
                session, actor=world.who("system"), ticket_id=ticket_id, body="已收到", audience="customer"
            )
            comments.comment(session, actor=world.who("agent"), ticket_id=ticket_id, body="查一下", now=world.tick())
        assert world.ticket(ticket_id).first_response_at is None
        with session_scope(world.engine) as session:
            comments.comment(
                session,
                actor=world.who("agent"),
                ticket_id=ticket_id,
                body="您好",
                audience="customer",
                now=world.tick(),
            )
        answered = world.ticket(ticket_id).first_response_at
        assert answered == world.now
        world.to(ticket_id, "accepted")
        assert world.ticket(ticket_id).first_response_at == answered
        assert world.disagreements(ticket_id) == []

    def test_a_remark_on_a_call_is_no_first_response(self, world: World) -> None:
        ticket_id = world.open()
        with session_scope(world.engine) as session:
            comments.comment(session, actor=world.who("agent"), ticket_id=ticket_id, body="您好", audience="customer")
            assert len(comments.comments(session, actor=world.who("agent"), ticket_id=ticket_id)) == 1
        assert world.ticket(ticket_id).first_response_at is None


class TestFollowUp:
    def test_callers_get_different_customers_and_the_score_is_kept(self, world: World) -> None:
        tickets = [world.open() for _ in range(2)]
        for ticket_id in tickets:
            world.to(ticket_id, "follow_up")
        claimed = []
        for name in ("reviewer", "supervisor", "dispatcher"):
            with session_scope(world.engine) as session:
                found = follow_up.claim_next(session, actor=world.who(name), now=world.tick())
                claimed.append(found.id if found else None)
        assert claimed == [*tickets, None]
        world.call_back(tickets[0], "no_answer")
        world.call_back(tickets[1], "satisfied", score=4)
        with session_scope(world.engine) as session:
            waiting = follow_up.queue(session, actor=world.who("reviewer"), now=world.now)
            assert [ticket.id for ticket in waiting] == [tickets[1]]
            later = world.tick(hours=5)
            assert len(follow_up.queue(session, actor=world.who("reviewer"), now=later)) == 2
            assert session.scalars(select(SurveyAnswer.score)).all() == [4]

    def test_branches_make_no_calls(self, world: World) -> None:
        with pytest.raises(NotAllowedError), session_scope(world.engine) as session:
            follow_up.queue(session, actor=world.who("baoji.branch_lead"))


class TestBulk:
    def test_a_preview_changes_nothing_and_tells_what_would_happen(self, world: World) -> None:
        tickets = [world.open() for _ in range(3)]
        world.to(tickets[1], "accepted")
        parameters = {"unit_id": world.units["xian"]}
        with session_scope(world.engine) as session:
            seen = bulk.preview(
                session, actor=world.who("dispatcher"), ticket_ids=tickets, action="dispatch", parameters=parameters
            )
        assert [(each.to_state, bool(each.refusal)) for each in seen] == [
            ("dispatched", False),
            ("accepted", True),
            ("dispatched", False),
        ]
        assert [world.ticket(number).state for number in tickets] == ["new", "accepted", "new"]
        assert all(world.disagreements(number) == [] for number in tickets)

    def test_done_and_taken_back_except_where_somebody_went_on(self, world: World) -> None:
        tickets = [world.open(values={"unit_id": world.units["baoji"]}) for _ in range(3)]
        with session_scope(world.engine) as session:
            done, _ = bulk.carry_out(
                session,
                actor=world.who("dispatcher"),
                ticket_ids=tickets,
                action="dispatch",
                parameters={"unit_id": world.units["xian"]},
                now=world.tick(),
            )
            bulk_id = done.id
        world.step("xian.branch_handler", tickets[2], "accept")
        with pytest.raises(NotAllowedError), session_scope(world.engine) as session:
            bulk.undo(session, actor=world.who("supervisor"), bulk_id=bulk_id, now=world.tick())
        with session_scope(world.engine) as session:
            bulk.undo(session, actor=world.who("dispatcher"), bulk_id=bulk_id, now=world.tick())
        with session_scope(world.engine) as session:
            rows = [session.get_one(Ticket, number) for number in tickets]
            assert [row.state for row in rows] == ["new", "new", "accepted"]
            assert [row.unit_id for row in rows[:2]] == [world.units["baoji"]] * 2
        assert all(world.disagreements(number) == [] for number in tickets)
        with pytest.raises(WrongStateError), session_scope(world.engine) as session:
            bulk.undo(session, actor=world.who("dispatcher"), bulk_id=bulk_id, now=world.tick())

    def test_it_is_not_taken_back_an_hour_later(self, world: World) -> None:
        ticket_id = world.open()
        with session_scope(world.engine) as session:
            done, _ = bulk.carry_out(
                session,
                actor=world.who("dispatcher"),
                ticket_ids=[ticket_id],
                action="edit",
                parameters={"priority": "urgent"},
                now=world.tick(),
            )
        with pytest.raises(WrongStateError, match="too old"), session_scope(world.engine) as session:
            bulk.undo(session, actor=world.who("dispatcher"), bulk_id=done.id, now=world.tick(hours=1))

    def test_foreign_tickets_stay_unknown(self, world: World) -> None:
        ticket_id = world.open()
        world.to(ticket_id, "dispatched")
        with session_scope(world.engine) as session:
            (seen,) = bulk.preview(
                session, actor=world.who("xian.branch_lead"), ticket_ids=[ticket_id], action="accept"
            )
            assert (seen.code, seen.from_state) == (str(ticket_id), "")


def test_a_checklist_is_ticked_by_who_works_it(world: World) -> None:
    ticket_id = world.open(template_code="broadband_no_connection")
    world.to(ticket_id, "in_progress")
    with pytest.raises(NotFoundError), session_scope(world.engine) as session:
        checklists.tick(session, actor=world.who("xian.branch_handler"), ticket_id=ticket_id, code="line")
    for code in ("account", "line"):
        with session_scope(world.engine) as session:
            checklists.tick(session, actor=world.who("baoji.branch_handler"), ticket_id=ticket_id, code=code)
    world.step("baoji.branch_handler", ticket_id, "resolve", resolution="光猫重启")


def test_internal_maintenance_goes_through_the_same_loop_without_a_call(world: World) -> None:
    values = {"channel_code": "walk_in", "service_type_code": "internal_maintenance", "customer_id": None}
    ticket_id = world.open("supervisor", values=values)
    world.to(ticket_id, "follow_up")
    world.step("reviewer", ticket_id, "close")
    assert world.ticket(ticket_id).state == "closed"
