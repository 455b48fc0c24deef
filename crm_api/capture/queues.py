"""Lists of tickets to work from: what a row shows, and which tickets wait where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from core.actor import PROVINCIAL_ROLES, Actor
from core.time import utc_now
from crm_api.capture.names import units
from crm_api.contacts.models import ServiceType
from crm_api.organisation.models import OrgUnit
from crm_api.tickets.access import visible
from crm_api.tickets.loop_models import TicketAssignment, TicketWork
from crm_api.tickets.models import ENDED_STATES, ComplaintType, Ticket
from crm_api.tickets.monitor import standing_as

WAITING = {
    "dispatch": ("new", "returned"),
    "review": ("resolved", "in_review"),
    "follow_up": ("follow_up",),
    "branch": ("dispatched", "accepted", "in_progress", "pending"),
}
_DONE = frozenset({"resolved", "in_review", "follow_up", "closed", "cancelled"})


@dataclass(frozen=True)
class TicketRow:
    """A ticket in a list, with the names that it shows."""

    ticket: Ticket
    work: TicketWork | None
    unit: OrgUnit | None
    service_type: ServiceType | None
    complaint: ComplaintType | None
    at: datetime

    @property
    def due_at(self) -> datetime | None:
        """When the next promise is due; None once the work is done."""
        return None if self.ticket.state in _DONE else self.ticket.resolution_due_at

    @property
    def left(self) -> timedelta | None:
        """Until then; negative when it is over."""
        return self.due_at - self.at if self.due_at else None

    @property
    def risk(self) -> str:
        """late, at_risk or fine; none when nothing runs."""
        if self.left is None:
            return "none"
        if self.left < timedelta():
            return "late"
        since = self.work.at_risk_at if self.work else None
        return "at_risk" if since and since <= self.at else "fine"


def rows_of(session: Session, tickets: Sequence[Ticket], *, now: datetime | None = None) -> list[TicketRow]:
    """The rows for `tickets`, in their order, read in a fixed number of queries."""
    ids = [ticket.id for ticket in tickets]
    works = {work.ticket_id: work for work in session.scalars(select(TicketWork).where(TicketWork.ticket_id.in_(ids)))}
    named = units(session, (ticket.unit_id for ticket in tickets))
    services = _by_code(session, ServiceType, {ticket.service_type_code for ticket in tickets})
    complaints = _by_code(session, ComplaintType, {ticket.complaint_type_code for ticket in tickets})
    at = now or utc_now()
    return [
        TicketRow(
            ticket,
            works.get(ticket.id),
            named.get(ticket.unit_id or 0),
            services.get(ticket.service_type_code),
            complaints.get(ticket.complaint_type_code or ""),
            at,
        )
        for ticket in tickets
    ]


def _by_code(session: Session, model: Any, codes: set[str | None]) -> dict[str, Any]:
    wanted = {code for code in codes if code}
    rows: Any = session.scalars(select(model).where(model.code.in_(wanted))) if wanted else ()
    return {row.code: row for row in rows}


def mine(actor: Actor, *conditions: ColumnElement[bool]) -> Select[Ticket]:
    """The captured tickets that `actor` sees, narrowed."""
    return select(Ticket).where(Ticket.deleted_at.is_(None), Ticket.source == "captured", visible(actor), *conditions)


def waiting(session: Session, actor: Actor, queue: str, *, limit: int = 100) -> list[TicketRow]:
    """The tickets of a queue, the most urgent first."""
    statement = mine(actor, Ticket.state.in_(WAITING[queue]))
    if queue == "branch" and actor.unit_kind == "county":
        open_here = select(TicketAssignment.ticket_id).where(
            TicketAssignment.unit_id == actor.unit_id, TicketAssignment.returned_at.is_(None)
        )
        statement = statement.where((Ticket.unit_id == actor.unit_id) | Ticket.id.in_(open_here))
    order = (Ticket.resolution_due_at.is_(None), Ticket.resolution_due_at, Ticket.id)
    return rows_of(session, session.scalars(statement.order_by(*order).limit(limit)).all())


def home_counts(session: Session, actor: Actor) -> dict[str, int]:
    """How many tickets wait in each queue that is the actor's; beyond 999 nobody counts on."""
    if actor.role in PROVINCIAL_ROLES:
        queues = ["dispatch", "review", "follow_up"]
    else:
        queues = ["branch"] if actor.role.startswith("branch_") else []
    found = {}
    for queue in queues:
        few = mine(actor, Ticket.state.in_(WAITING[queue])).limit(1000).subquery()
        found[queue] = session.scalar(select(func.count()).select_from(few)) or 0
    if actor.role.startswith("branch_") or actor.role in PROVINCIAL_ROLES:
        late = mine(actor, OPEN, standing_as(session, "late", now=utc_now())).limit(1000).subquery()
        found["late"] = session.scalar(select(func.count()).select_from(late)) or 0
    return found


OPEN = Ticket.state.not_in(ENDED_STATES)
