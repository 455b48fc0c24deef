"""Whatever anybody calls in whatever order: nothing dispatched closes unreviewed, and nothing is lost."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, func, select

from core.actor import BRANCH_ROLES, PROVINCIAL_ROLES
from core.database import make_engine, session_scope
from crm_api.errors import RefusedError
from crm_api.tickets import assignments, bulk, comments, follow_up, relations, service
from crm_api.tickets.errors import EditedMeanwhileError
from crm_api.tickets.loop_models import FOLLOW_UP_OUTCOMES, TicketWork
from crm_api.tickets.models import Ticket, TicketEvent
from crm_api.tickets.transitions import options
from tests.crm_api.ticket_world import World

FULL = bool(os.environ.get("CRM_TEST_FULL"))
STEPS = (
    "close_at_once", "dispatch", "accept", "start", "return", "pend", "resume", "release", "resolve", "begin_review",
    "approve", "reject", "close", "cancel", "reopen", "reopen_undispatched",
)  # fmt: skip


class AnybodyCallsAnything(RuleBasedStateMachine):
    """Any person takes any step on any ticket, sensible or not; refusals are fine, other errors are not."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.tickets: list[int] = []
        self.bulks: list[tuple[str, int]] = []
        self.names = sorted(self.world.people)

    def attempt(self, call: Any) -> Any:
        try:
            with session_scope(self.world.engine) as session:
                return call(session, self.world.tick())
        except RefusedError:
            return None

    def fields(self, choice: int) -> dict[str, Any]:
        branch = ("baoji", "xian")[choice % 2]
        return {
            "unit_id": self.world.units[branch],
            "resolution": "已处理",
            "pending_reason": "customer",
            "pending_until": self.world.now + timedelta(days=1),
        }

    def pick(self, choice: int) -> int:
        return self.tickets[choice % len(self.tickets)] if self.tickets else 0

    @initialize(reached=st.lists(st.sampled_from(["new", "accepted", "resolved", "follow_up"]), min_size=1, max_size=3))
    def begin(self, reached: list[str]) -> None:
        for state in reached:
            self.tickets.append(self.world.open())
            self.world.to(self.tickets[-1], state)

    @rule(who=st.integers(0, 99), born_pending=st.booleans(), outage=st.booleans())
    def open(self, who: int, born_pending: bool, outage: bool) -> None:
        if len(self.tickets) >= 4:
            return
        values = {
            "channel_code": "email", "service_type_code": "complaint", "kind": "outage" if outage else "standard",
        }  # fmt: skip
        pending = {"reason": "weather", "until": self.world.now + timedelta(hours=9)} if born_pending else None
        actor = self.world.people[self.names[who % len(self.names)]]
        made = self.attempt(
            lambda session, now: service.create(session, actor=actor, values=values, pending=pending, now=now).id
        )
        if made:
            self.tickets.append(made)

    @rule(who=st.integers(0, 99), ticket=st.integers(0, 3), step=st.sampled_from(STEPS), choice=st.integers(0, 1))
    def any_step(self, who: int, ticket: int, step: str, choice: int) -> None:
        actor, number = self.world.people[self.names[who % len(self.names)]], self.pick(ticket)
        self.attempt(
            lambda session, now: service.transition(
                session, actor=actor, ticket_id=number, step=step, reason="因为", fields=self.fields(choice), now=now
            )
        )

    @rule(ticket=st.integers(0, 3), choice=st.integers(0, 99), walk=st.integers(1, 9))
    def sensible_steps(self, ticket: int, choice: int, walk: int) -> None:
        """A few steps that somebody is offered, so that tickets get far."""
        number = self.pick(ticket)
        for turn in range(walk):
            self.attempt(lambda session, now, turn=turn: self._sensible(session, number, choice + turn, now))

    def _sensible(self, session: Any, number: int, choice: int, now: Any) -> None:
        found = session.get(Ticket, number)
        work = session.get(TicketWork, number)
        if found is None:
            return
        offers = [
            (actor, option.transition.code)
            for actor in self.world.people.values()
            for option in options(session, actor=actor, ticket=found, work=work, now=now)
            if option.transition.target not in ("cancelled", "returned", "pending") and not option.blocked_by
        ]
        if found.state == "follow_up" and choice % 2:
            follow_up.record_call(
                session, actor=self.world.who("reviewer"), ticket_id=number, outcome="satisfied", now=now
            )
        elif offers:
            actor, step = offers[choice % len(offers)]
            service.transition(
                session, actor=actor, ticket_id=number, step=step, reason="r", fields=self.fields(choice), now=now
            )

    @rule(who=st.integers(0, 99), ticket=st.integers(0, 3), outcome=st.sampled_from(FOLLOW_UP_OUTCOMES))
    def call_back(self, who: int, ticket: int, outcome: str) -> None:
        actor, number = self.world.people[self.names[who % len(self.names)]], self.pick(ticket)
        self.attempt(
            lambda session, now: follow_up.record_call(session, actor=actor, ticket_id=number, outcome=outcome, now=now)
        )

    @rule(who=st.integers(0, 99), ticket=st.integers(0, 3), county=st.sampled_from(["baoji.qishan", "xian.beilin"]))
    def share_out(self, who: int, ticket: int, county: str) -> None:
        actor, number = self.world.people[self.names[who % len(self.names)]], self.pick(ticket)
        unit = self.world.units[county]
        self.attempt(
            lambda session, now: assignments.sub_dispatch(session, actor=actor, ticket_id=number, unit_id=unit, now=now)
        )

    @rule(who=st.integers(0, 99), ticket=st.integers(0, 3), county=st.sampled_from(["baoji.qishan", "xian.beilin"]))
    def give_back(self, who: int, ticket: int, county: str) -> None:
        actor, number = self.world.people[self.names[who % len(self.names)]], self.pick(ticket)
        unit = self.world.units[county]
        self.attempt(
            lambda session, now: assignments.return_to_branch(
                session, actor=actor, ticket_id=number, unit_id=unit, reason="好了", now=now
            )
        )

    @rule(
        who=st.integers(0, 99),
        ticket=st.integers(0, 3),
        changes=st.fixed_dictionaries(
            {},
            optional={
                "priority": st.sampled_from(["low", "urgent"]),
                "title": st.sampled_from(["a", "b"]),
                "handler": st.sampled_from(["x", None]),
            },
        ),
        stale=st.integers(0, 2),
    )
    def edit(self, who: int, ticket: int, changes: dict[str, Any], stale: int) -> None:
        actor, number = self.world.people[self.names[who % len(self.names)]], self.pick(ticket)

        def call(session: Any, now: Any) -> None:
            seen = service.version_of(session, number) - stale
            service.edit(session, actor=actor, ticket_id=number, changes=changes, expected_version=seen, now=now)

        self.attempt(call)

    @rule(who=st.integers(0, 99), ticket=st.integers(0, 3), parent=st.integers(0, 4))
    def attach(self, who: int, ticket: int, parent: int) -> None:
        actor, number = self.world.people[self.names[who % len(self.names)]], self.pick(ticket)
        above = None if parent == 4 else self.pick(parent)
        self.attempt(
            lambda session, now: relations.attach(session, actor=actor, ticket_id=number, parent_id=above, now=now)
        )

    @rule(who=st.integers(0, 99), ticket=st.integers(0, 3))
    def answer(self, who: int, ticket: int) -> None:
        actor, number = self.world.people[self.names[who % len(self.names)]], self.pick(ticket)
        self.attempt(
            lambda session, now: comments.comment(
                session, actor=actor, ticket_id=number, body="您好", audience="customer", now=now
            )
        )

    @rule(who=st.integers(0, 99), action=st.sampled_from(bulk.STEPS), choice=st.integers(0, 1))
    def act_on_all(self, who: int, action: str, choice: int) -> None:
        if not self.tickets:
            return
        name = self.names[who % len(self.names)]
        actor = self.world.people[name]
        parameters = (
            {"priority": "high"} if action == "edit" else {"reason": "r", "resolution": "x"} | self.fields(choice)
        )
        parameters.pop("pending_until", None)
        done = self.attempt(
            lambda session, now: (
                bulk.carry_out(
                    session, actor=actor, ticket_ids=self.tickets, action=action, parameters=parameters, now=now
                )[0].id
            )
        )
        if done:
            self.bulks.append((name, done))

    @rule(choice=st.integers(0, 9))
    def take_back(self, choice: int) -> None:
        if not self.bulks:
            return
        name, number = self.bulks[-1 - choice % len(self.bulks)]
        self.attempt(lambda session, now: bulk.undo(session, actor=self.world.people[name], bulk_id=number, now=now))

    @invariant()
    def nothing_dispatched_is_closed_unreviewed(self) -> None:
        province = self.world.units["province"]
        with session_scope(self.world.engine) as session:
            for number in self.tickets:
                events = session.scalars(
                    select(TicketEvent).where(TicketEvent.ticket_id == number).order_by(TicketEvent.event_number)
                ).all()
                dispatched = reviewed = False
                for event in events:
                    dispatched = dispatched or event.kind == "dispatched"
                    if event.to_state == "in_progress":
                        reviewed = False
                    if event.kind == "approved":
                        assert event.actor_role in PROVINCIAL_ROLES
                        assert event.unit_id == province
                        reviewed = True
                    if event.to_state == "closed" and event.from_state != "closed":
                        assert event.actor_role not in BRANCH_ROLES
                        assert reviewed or not dispatched, [(e.kind, e.actor) for e in events]

    @invariant()
    def history_replays_to_the_present(self) -> None:
        for number in self.tickets:
            assert self.world.disagreements(number) == []


@pytest.mark.timeout(3600 if FULL else 300)
def test_no_dispatched_ticket_closes_without_the_provinces_review(sqlite_url: str) -> None:
    engine = make_engine(url=sqlite_url)
    AnybodyCallsAnything.world = World(engine)
    run_state_machine_as_test(
        AnybodyCallsAnything,
        settings=settings(
            max_examples=150 if FULL else 30,
            stateful_step_count=50 if FULL else 30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with session_scope(engine) as session:
        dispatched = select(TicketEvent.ticket_id).where(TicketEvent.kind == "dispatched")
        closed = session.scalars(select(Ticket.id).where(Ticket.state == "closed", Ticket.id.in_(dispatched))).all()
    engine.dispose()
    assert closed, "the search got no dispatched ticket closed: it shows nothing"


def _append(world: World, ticket_id: int, name: str, word: str) -> None:
    """Read, add a word to the title, write; again if somebody else was faster."""
    while True:
        with session_scope(world.engine) as session:
            seen = service.get(session, actor=world.who(name), ticket_id=ticket_id)
            title, version = seen.ticket.title, seen.version
        try:
            with session_scope(world.engine) as session:
                service.edit(
                    session,
                    actor=world.who(name),
                    ticket_id=ticket_id,
                    changes={"title": f"{title} {word}"},
                    expected_version=version,
                )
        except EditedMeanwhileError:
            continue
        return


def test_concurrent_edits_lose_nothing(store: Engine) -> None:
    world = World(store)
    ticket_id = world.open(values={"title": "开始"})
    words = [f"w{number}" for number in range(60 if FULL else 16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda word: _append(world, ticket_id, "supervisor", word), words))
    title = world.ticket(ticket_id).title or ""
    assert sorted(title.split()[1:]) == sorted(words)
    assert world.disagreements(ticket_id) == []


def test_what_is_written_while_a_ticket_is_read_is_not_taken_for_seen(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(store)
    ticket_id = world.open(values={"title": "开始"})
    find, others = service.find, iter(["w0"])

    def slow_find(*given: Any, **more: Any) -> Ticket:
        ticket = find(*given, **more)
        for word in others:
            _append(world, ticket_id, "supervisor", word)
        return ticket

    monkeypatch.setattr(service, "find", slow_find)
    _append(world, ticket_id, "supervisor", "w1")
    assert world.ticket(ticket_id).title == "开始 w0 w1"


def test_two_people_taking_the_same_step_take_it_once(store: Engine) -> None:
    world = World(store)
    ticket_id = world.open()
    world.to(ticket_id, "dispatched")
    together = Barrier(6)

    def accept(name: str) -> str:
        together.wait()
        try:
            world.step(name, ticket_id, "accept")
        except RefusedError:
            return "refused"
        return "done"

    names = ["baoji.branch_handler", "baoji.branch_lead", "baoji.branch_manager"] * 2
    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(accept, names)) == ["done", *["refused"] * 5]


def test_one_key_at_the_same_time_opens_one_ticket(store: Engine) -> None:
    world = World(store)
    together = Barrier(8)

    def open_one(_: int) -> int:
        together.wait()
        with session_scope(world.engine) as session:
            values = {"channel_code": "voice", "service_type_code": "complaint", "title": "同一个电话"}
            return service.create(session, actor=world.who("agent"), values=values, idempotency_key="k").id

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(open_one, range(8)))
    assert len(set(made)) == 1
    with session_scope(world.engine) as session:
        assert session.scalar(select(func.count()).select_from(Ticket)) == 1


@pytest.mark.slow
def test_crosswise_attaching_does_not_lock_up(store: Engine) -> None:
    world = World(store)
    tickets = [world.open() for _ in range(4)]

    def attach(pair: tuple[int, int]) -> None:
        try:
            with session_scope(world.engine) as session:
                relations.attach(session, actor=world.who("supervisor"), ticket_id=pair[0], parent_id=pair[1])
        except RefusedError:
            return

    pairs = [(a, b) for a in tickets for b in tickets if a != b] * 3
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(attach, pairs))
    assert all(world.disagreements(number) == [] for number in tickets)
