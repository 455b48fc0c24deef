"""The process monitor: the loop drawn with what stands at each node, how long, and what is at risk; per branch."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.capture import names
from crm_api.capture.pages import render
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.organisation.models import OrgUnit
from crm_api.tickets.access import visible
from crm_api.tickets.loop_models import TicketWork
from crm_api.tickets.models import ENDED_STATES, Ticket, TicketEvent
from crm_api.tickets.process import Definition
from crm_api.tickets.process_service import active_version, definition_of
from crm_api.web.dependencies import DbSession, requires

router = APIRouter(include_in_schema=False)
Watcher = Annotated[Identity, requires(Permission.MONITOR_READ)]

#: Where each state stands in the drawing: column and row of a grid.
PLACES = {
    "new": (0, 0),
    "dispatched": (1, 0),
    "accepted": (2, 0),
    "in_progress": (3, 0),
    "resolved": (4, 0),
    "in_review": (5, 0),
    "follow_up": (6, 0),
    "returned": (1, 1),
    "pending": (3, 1),
}
_RECENT = timedelta(days=30)


@dataclass
class Node:
    """What stands at one state, perhaps of one branch."""

    number: int = 0
    oldest: datetime | None = None
    at_risk: int = 0
    late: int = 0
    slow: int = 0

    def add(self, number: int, oldest: datetime | None, at_risk: int, late: int, slow: int) -> None:
        """Count further tickets in."""
        self.number += number
        self.at_risk += at_risk
        self.late += late
        self.slow += slow
        if oldest and (self.oldest is None or oldest < self.oldest):
            self.oldest = oldest


@dataclass
class Picture:
    """The loop at an instant: nodes over all, and per city branch (0: not sent anywhere yet)."""

    at: datetime
    nodes: dict[str, Node] = field(default_factory=lambda: defaultdict(Node))
    branches: dict[int, dict[str, Node]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Node)))
    rejected: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    returned: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def total(self, branch: int) -> Node:
        """What a branch has in all."""
        sum_ = Node()
        for node in self.branches[branch].values():
            sum_.add(node.number, node.oldest, node.at_risk, node.late, node.slow)
        return sum_


def picture(
    session: Session, actor: Actor, process: Definition, *, unit_ids: list[int] | None, now: datetime
) -> Picture:
    """Count the open tickets that `actor` sees by state and city branch; `unit_ids` narrows to some units."""
    since = func.coalesce(TicketWork.state_since, Ticket.created_at)
    targets = {state.code: state.target_seconds for state in process.states if state.target_seconds}
    slow = or_(*[(Ticket.state == code) & (since < now - timedelta(seconds=limit)) for code, limit in targets.items()])
    statement: Any = (
        select(
            Ticket.state,
            Ticket.unit_id,
            func.count(),
            func.min(since),
            func.sum(case((TicketWork.at_risk_at <= now, 1), else_=0)),
            func.sum(case(((Ticket.resolution_due_at < now) & Ticket.resolved_at.is_(None), 1), else_=0)),
            func.sum(case((slow, 1), else_=0)),
        )
        .outerjoin(TicketWork, TicketWork.ticket_id == Ticket.id)
        .where(
            Ticket.state.not_in(ENDED_STATES), Ticket.deleted_at.is_(None), Ticket.source == "captured", visible(actor)
        )
        .group_by(Ticket.state, Ticket.unit_id)
    )
    if unit_ids is not None:
        statement = statement.where(Ticket.unit_id.in_(unit_ids))
    city_of = _cities(session)
    found = Picture(now)
    rows: Any = session.execute(statement)
    for state, unit_id, number, oldest, at_risk, late, is_slow in rows:
        counts: tuple[Any, ...] = (number, oldest, int(at_risk or 0), int(late or 0), int(is_slow or 0))
        found.nodes[state].add(*counts)
        found.branches[city_of.get(unit_id, 0)][state].add(*counts)
    for kind, numbers in (("rejected", found.rejected), ("returned", found.returned)):
        events: Any = session.execute(_events(actor, kind, now, unit_ids))
        for unit_id, number in events:
            numbers[city_of.get(unit_id, 0)] += number
    return found


def _events(actor: Actor, kind: str, now: datetime, unit_ids: list[int] | None) -> Any:
    statement: Any = (
        select(Ticket.unit_id, func.count())
        .join(TicketEvent, TicketEvent.ticket_id == Ticket.id)
        .where(TicketEvent.kind == kind, TicketEvent.occurred_at >= now - _RECENT, visible(actor))
        .group_by(Ticket.unit_id)
    )
    return statement if unit_ids is None else statement.where(Ticket.unit_id.in_(unit_ids))


def _cities(session: Session) -> dict[int | None, int]:
    """Unit -> its city branch."""
    rows = session.execute(select(OrgUnit.id, OrgUnit.kind, OrgUnit.parent_id).where(OrgUnit.kind != "province"))
    return {unit_id: unit_id if kind == "city" else parent or 0 for unit_id, kind, parent in rows}


@router.get("/app/monitor")
def monitor(
    identity: Watcher,
    session: DbSession,
    request: Request,
    city: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> Response:
    """The loop as it stands now; `city` narrows it to a branch and its counties."""
    actor, now = identity.actor, utc_now()
    process = definition_of(session, active_version(session, service_type_code="complaint").id)
    cities = names.cities(session) if actor.is_province else []
    units = [city, *(unit.id for unit in names.counties(session, city))] if city is not None else None
    seen = picture(session, actor, process, unit_ids=units, now=now)
    branches = cities if actor.is_province else list(names.units(session, [actor.city_unit_id]).values())
    return render(
        request,
        session,
        identity,
        "monitor.html",
        picture=seen,
        process=process,
        places=PLACES,
        cities=cities,
        branches=[unit for unit in branches if city in (None, unit.id)],
        city=city,
        may_open=identity.may(Permission.TICKET_READ),
    )
