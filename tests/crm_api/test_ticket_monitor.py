"""The process monitor counts what stands where, for how long, at risk or late; each figure leads to its tickets."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from core.database import session_scope
from crm_api.tickets import assignments, monitor
from tests.crm_api.ticket_world import World, at


@pytest.fixture
def world(store: Engine) -> World:
    return World(store)


def test_each_node_per_city_with_age_risk_and_lateness(world: World) -> None:
    waiting = world.open()
    baoji, xian = [world.open() for _ in range(3)], world.open()
    for ticket_id in baoji:
        world.to(ticket_id, "in_progress")
    world.to(xian, "in_progress", branch="xian")
    # A complaint has 22 h 30 min of office time: three days, less what passed before noon.
    risky, late = at("2026-03-04 15:00"), at("2026-03-05 17:00")
    with session_scope(world.engine) as session:
        province = world.who("supervisor")
        found = {(each.state, each.city_unit_id): each for each in monitor.nodes(session, actor=province, now=risky)}
        assert found[("new", None)].tickets == 1
        assert found[("new", None)].oldest_since == world.ticket(waiting).created_at
        mine = found[("in_progress", world.units["baoji"])]
        assert (mine.tickets, mine.at_risk, mine.late, mine.slow) == (3, 3, 0, 3)
        assert sum(each.tickets for each in found.values()) == 5
        later = {(each.state, each.city_unit_id): each for each in monitor.nodes(session, actor=province, now=late)}
        assert (later[("in_progress", world.units["baoji"])].at_risk, later[("new", None)].late) == (0, 1)
        own = monitor.nodes(session, actor=world.who("xian.branch_lead"), now=late)
        assert [(each.city_unit_id, each.tickets) for each in own] == [(world.units["xian"], 1)]


def test_a_figure_leads_to_its_tickets(world: World) -> None:
    tickets = [world.open() for _ in range(3)]
    for ticket_id in tickets[:2]:
        world.to(ticket_id, "in_progress")
    with session_scope(world.engine) as session:
        supervisor, late = world.who("supervisor"), at("2026-03-06 12:00")
        first = monitor.tickets_at(session, actor=supervisor, risk="late", limit=2, now=late)
        rest = monitor.tickets_at(session, actor=supervisor, risk="late", after=first[-1].id, now=late)
        assert [ticket.id for ticket in [*first, *rest]] == tickets
        in_baoji = monitor.tickets_at(session, actor=supervisor, unit_id=world.units["baoji"], states=["in_progress"])
        assert [ticket.id for ticket in in_baoji] == tickets[:2]
        assert monitor.tickets_at(session, actor=world.who("xian.branch_lead"), risk="late", now=late) == []
        people = monitor.late_people(session, actor=supervisor, now=late)
        assert [(each.unit_id, each.handler, each.late) for each in people] == [
            (world.units["baoji"], "baoji.branch_handler", 2),
            (None, None, 1),
        ]


def test_a_paused_or_finished_ticket_gets_no_later(world: World) -> None:
    world.to(world.open(), "resolved")
    world.open(pending={"reason": "customer", "until": at("2026-05-01 09:00")})
    with session_scope(world.engine) as session:
        found = monitor.nodes(session, actor=world.who("supervisor"), now=at("2026-04-01 09:00"))
        assert [(each.late, each.at_risk) for each in found] == [(0, 0), (0, 0)]


def test_a_county_shows_what_was_sent_down_to_it(world: World) -> None:
    ticket_id, county = world.open(), world.units["baoji.qishan"]
    world.to(ticket_id, "in_progress")
    with session_scope(world.engine) as session:
        assignments.sub_dispatch(
            session, actor=world.who("baoji.branch_lead"), ticket_id=ticket_id, unit_id=county, now=world.tick()
        )
        (figures,) = monitor.nodes(session, actor=world.who("supervisor"), by_county=True, now=world.now)
        assert (figures.city_unit_id, figures.county_unit_id, figures.tickets) == (world.units["baoji"], county, 1)
        shared = monitor.tickets_at(session, actor=world.who("baoji.qishan"), unit_id=county)
        assert [ticket.id for ticket in shared] == [ticket_id]


def test_time_in_each_step_against_its_target(world: World) -> None:
    ticket_id = world.open()
    world.to(ticket_id, "accepted")
    world.tick(hours=3)
    world.to(ticket_id, "closed")
    with session_scope(world.engine) as session:
        period = {"start": at("2026-03-01 00:00"), "end": world.now + timedelta(days=1)}
        found = {each.state: each for each in monitor.step_times(session, actor=world.who("supervisor"), **period)}
        assert "closed" not in found
        accepted = found["accepted"]
        assert (accepted.stays, accepted.over_target, accepted.target_seconds) == (1, 1, 7200)
        assert accepted.mean_seconds == pytest.approx(3 * 3600 + 60, abs=0.01)
        assert found["new"].over_target == 0
        assert monitor.step_times(session, actor=world.who("xian.branch_lead"), **period) == []


def test_rejections_and_returns_per_branch(world: World) -> None:
    first, second = world.open(), world.open()
    world.to(first, "in_review")
    world.step("reviewer", first, "reject", reason="x")
    world.to(second, "dispatched")
    world.step("baoji.branch_lead", second, "return", reason="不属本地")
    world.step("dispatcher", second, "dispatch", unit_id=world.units["xian"])
    with session_scope(world.engine) as session:
        found = monitor.branch_quality(
            session, actor=world.who("supervisor"), start=at("2026-03-01 00:00"), end=at("2026-04-01 00:00")
        )
        told = {each.unit_id: each for each in found}
        baoji = told[world.units["baoji"]]
        assert (baoji.dispatched, baoji.returned, baoji.resolved, baoji.rejected) == (1, 1, 1, 1)
        assert baoji.rejection_rate == 1.0
        assert told[world.units["xian"]].rejection_rate is None
