"""The history of a ticket: writing a step of it, what changed since a version, and replaying it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actor import Actor
from crm_api.bus.service import publish
from crm_api.sla.clocks import Moment, resolved_at
from crm_api.sla.service import POLICY_FIELDS, history_of, refresh
from crm_api.tickets.errors import Difference
from crm_api.tickets.loop_models import TicketAssignment, TicketEventDetail, TicketWork
from crm_api.tickets.models import Ticket, TicketEvent
from crm_api.webhooks import service as webhooks

Changes = dict[str, tuple[Any, Any]]

#: Fields of a ticket that its history follows; the rest derives from its states.
TICKET_FIELDS = (
    "kind",
    "contact_id",
    "customer_id",
    "parent_id",
    "channel_code",
    "service_type_code",
    "complaint_type_code",
    "product_code",
    "unit_id",
    "township_id",
    "priority",
    "title",
    "description",
    "is_on_behalf",
)
#: Fields of its running work that its history follows.
WORK_FIELDS = ("handler", "resolution", "pending_reason", "pending_until")
#: The first of these answers the customer; a ticket closed at once is answered by that.
_RESPONSES = frozenset({"responded", "accepted", "closed"})


@dataclass(frozen=True)
class Step:
    """What is about to be written: the event's kind, the action (the transition's code), and where it leads."""

    kind: str
    action: str
    to_state: str
    reason: str | None = None


def version_of(session: Session, ticket_id: int) -> int:
    """The number of a ticket's last event: what a reader sends back to say what they saw."""
    newest = session.scalar(select(func.max(TicketEvent.event_number)).where(TicketEvent.ticket_id == ticket_id))
    return newest or 0


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value


def set_fields(target: Ticket | TicketWork, values: Mapping[str, Any]) -> Changes:
    """Set those values that differ; field -> (old, new)."""
    changes: Changes = {}
    for name, value in values.items():
        old = getattr(target, name)
        if old != value:
            changes[name] = (old, value)
            setattr(target, name, value)
    return changes


def record(
    session: Session,
    *,
    actor: Actor,
    ticket: Ticket,
    work: TicketWork,
    step: Step,
    changes: Changes,
    now: datetime,
) -> TicketEvent:
    """Write one step of a held ticket: the event, the state it leads to, the clocks as they then stand, the bus.

    `changes` were made to `ticket` and `work` already. Time never runs backwards within a history: a step comes at
    the earliest with the one before it.
    """
    last = session.execute(
        select(TicketEvent.event_number, TicketEvent.occurred_at)
        .where(TicketEvent.ticket_id == ticket.id)
        .order_by(TicketEvent.event_number.desc())
        .limit(1)
    ).first()
    number, at = (last.event_number + 1, max(now, last.occurred_at)) if last else (1, now)
    from_state = ticket.state if last else None
    event = TicketEvent(
        ticket_id=ticket.id,
        event_number=number,
        kind=step.kind,
        from_state=from_state,
        to_state=step.to_state,
        occurred_at=at,
        actor_role=actor.role,
        actor=actor.username,
        unit_id=actor.unit_id,
        reason=step.reason,
    )
    session.add(event)
    if from_state != step.to_state:
        work.state_since = at
    ticket.state = step.to_state
    ticket.closed_at = (ticket.closed_at or at) if step.to_state == "closed" else None
    session.flush()
    ticket.resolved_at = resolved_at(history_of(session, ticket.id))
    if step.kind in _RESPONSES and ticket.first_response_at is None:
        ticket.first_response_at = at
    rematch = number == 1 or bool(POLICY_FIELDS & changes.keys())
    current = refresh(session, ticket=ticket, work=work, now=at, rematch=rematch)
    plain = {name: [_plain(old), _plain(new)] for name, (old, new) in changes.items()}
    session.add(TicketEventDetail(event_id=event.id, action=step.action, changes=plain, clocks=current.as_document()))
    told = {"ticket_id": ticket.id, "code": ticket.code, "kind": step.kind, "state": ticket.state}
    publish(session, topic="ticket", payload=told | {"unit_id": ticket.unit_id, "event_number": number}, now=at)
    _tell_others(session, ticket, event, sorted(changes))
    session.flush()
    return event


def _tell_others(session: Session, ticket: Ticket, event: TicketEvent, fields: list[str]) -> None:
    """Queue the webhooks of one step: every step one, a complaint's beginning and end one more."""
    data = {
        "ticket_id": ticket.id,
        "code": ticket.code,
        "kind": event.kind,
        "state": event.to_state,
        "from_state": event.from_state,
        "event_number": event.event_number,
        "service_type_code": ticket.service_type_code,
        "complaint_type_code": ticket.complaint_type_code,
        "unit_id": ticket.unit_id,
        "priority": ticket.priority,
        "fields": fields,
    }
    moved = event.from_state != event.to_state
    name = "created" if event.from_state is None else "state_changed" if moved else "changed"
    webhooks.publish(session, f"ticket.{name}", data)
    if ticket.service_type_code.split(".")[0] == "complaint":
        if event.from_state is None:
            webhooks.publish(session, "complaint.created", data)
        elif moved and event.to_state == "closed":
            webhooks.publish(session, "complaint.closed", data)


def changed_since(session: Session, ticket_id: int, version: int) -> dict[str, Difference]:
    """Field -> what others made of it after `version`; the field `state` stands for the ticket's state."""
    rows = session.execute(
        select(TicketEvent, TicketEventDetail)
        .outerjoin(TicketEventDetail, TicketEventDetail.event_id == TicketEvent.id)
        .where(TicketEvent.ticket_id == ticket_id, TicketEvent.event_number > version)
        .order_by(TicketEvent.event_number)
    )
    found: dict[str, Difference] = {}
    for event, detail in rows:
        changed = dict(detail.changes) if detail else {}
        if event.from_state != event.to_state:
            changed["state"] = [event.from_state, event.to_state]
        for name, (_, new) in changed.items():
            found[name] = Difference(name, new, event.actor, event.occurred_at)
    return found


@dataclass
class Replayed:
    """A ticket as its history tells it."""

    state: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    first_response_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    counties: set[int] = field(default_factory=set)


def replay(session: Session, ticket_id: int) -> Replayed:
    """What the events of a ticket, one after the other, make of it."""
    rows = session.execute(
        select(TicketEvent, TicketEventDetail)
        .outerjoin(TicketEventDetail, TicketEventDetail.event_id == TicketEvent.id)
        .where(TicketEvent.ticket_id == ticket_id)
        .order_by(TicketEvent.event_number)
    )
    found, moments = Replayed(), []
    for event, detail in rows:
        found.state = event.to_state
        moments.append(Moment(event.occurred_at, event.to_state))
        found.closed_at = (found.closed_at or event.occurred_at) if event.to_state == "closed" else None
        if event.kind in _RESPONSES and found.first_response_at is None:
            found.first_response_at = event.occurred_at
        for name, (old, new) in (detail.changes if detail else {}).items():
            if name == "county_id":
                found.counties ^= {new if new is not None else old}
            else:
                found.fields[name] = new
    found.resolved_at = resolved_at(moments)
    return found


def disagreements(session: Session, ticket_id: int) -> list[str]:
    """Where the stored ticket differs from its replayed history; empty when nothing was lost."""
    ticket, work = session.get_one(Ticket, ticket_id), session.get_one(TicketWork, ticket_id)
    told = replay(session, ticket_id)
    names = ("state", "first_response_at", "resolved_at", "closed_at")
    wrong = [name for name in names if getattr(ticket, name) != getattr(told, name)]
    present = {name: getattr(ticket, name) for name in TICKET_FIELDS}
    present |= {name: getattr(work, name) for name in WORK_FIELDS}
    wrong += [name for name, value in present.items() if name in told.fields and _plain(value) != told.fields[name]]
    open_counties = session.scalars(
        select(TicketAssignment.unit_id).where(
            TicketAssignment.ticket_id == ticket_id, TicketAssignment.returned_at.is_(None)
        )
    )
    return wrong + (["counties"] if set(open_counties) != told.counties else [])
