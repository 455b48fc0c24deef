"""Tickets: opening one, finding and reading them, changing their fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from core.actor import BRANCH_ROLES, PROVINCIAL_ROLES, Actor
from core.time import to_local, utc_now
from crm_api.base import Base
from crm_api.contacts.models import Channel, Contact, ServiceType
from crm_api.customers.models import Customer, Product
from crm_api.dialect import begin_writing
from crm_api.errors import InvalidError, NotAllowedError
from crm_api.organisation.models import OrgUnit, Township
from crm_api.sla.clocks import Clock
from crm_api.sla.explain import Explanation
from crm_api.sla.service import Standing, explain_clock, standing
from crm_api.tickets.access import adopt, find, hold, visible, works_on
from crm_api.tickets.checklists import apply_template
from crm_api.tickets.errors import EditedMeanwhileError, WrongStateError
from crm_api.tickets.history import TICKET_FIELDS, Changes, Step, changed_since, record, set_fields, version_of
from crm_api.tickets.idempotency import once
from crm_api.tickets.loop_models import TicketEventDetail, TicketWork
from crm_api.tickets.models import (
    ENDED_STATES,
    PRIORITIES,
    TICKET_KINDS,
    ComplaintType,
    Ticket,
    TicketEvent,
)
from crm_api.tickets.process_service import active_version
from crm_api.tickets.references import own_references
from crm_api.tickets.transitions import Option, options, pending_fields, transition

__all__ = ["TicketView", "create", "edit", "explain", "get", "get_by_code", "history", "transition"]

_CREATORS = PROVINCIAL_ROLES | BRANCH_ROLES | {"agent", "system"}
_REFERENCES: dict[str, type[Base]] = {
    "contact_id": Contact,
    "customer_id": Customer,
    "channel_code": Channel,
    "service_type_code": ServiceType,
    "complaint_type_code": ComplaintType,
    "product_code": Product,
    "unit_id": OrgUnit,
    "township_id": Township,
}
_CHOICES = {"kind": TICKET_KINDS, "priority": PRIORITIES}
_LENGTHS = {"title": 300, "description": 20_000}
#: What may be edited: by the province and the centre, and by the branch that works the ticket.
EDITABLE = frozenset(TICKET_FIELDS) - {"kind", "parent_id", "channel_code", "is_on_behalf"} | {"handler"}
BRANCH_EDITABLE = frozenset({"handler", "complaint_type_code", "product_code", "township_id"})


@dataclass(frozen=True)
class TicketView:
    """A ticket with its running work, its clocks, its version and what the reader may do with it."""

    ticket: Ticket
    work: TicketWork | None
    clocks: Standing | None
    version: int
    options: list[Option]


def create(
    session: Session,
    *,
    actor: Actor,
    values: Mapping[str, Any],
    template_code: str | None = None,
    pending: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
    now: datetime | None = None,
) -> Ticket:
    """Open a ticket at the province; repeated with the same key it is the ticket opened the first time.

    Args:
        values: fields of TICKET_FIELDS; channel_code and service_type_code are needed.
        template_code: fills what `values` leave open and brings the checklist.
        pending: reason and until-when of a ticket that is born paused.

    Raises:
        NotAllowedError: the role opens no tickets, or the branch is not theirs.
        InvalidError: a field is unknown, names nothing that exists, or a customer or contact out of the actor's sight.
    """
    at = now or utc_now()
    if actor.role not in _CREATORS:
        raise NotAllowedError(f"{actor.role} opens no tickets.")
    begin_writing(session)
    request = {"values": dict(values), "template": template_code, "pending": dict(pending or {})}

    def make() -> int:
        return _open(session, actor, dict(values), template_code, pending, at).id

    made = once(
        session, actor=actor, operation="tickets.create", key=idempotency_key, request=request, make=make, now=at
    )
    return session.get_one(Ticket, made)


def _open(
    session: Session,
    actor: Actor,
    values: dict[str, Any],
    template_code: str | None,
    pending: Mapping[str, Any] | None,
    now: datetime,
) -> Ticket:
    template = apply_template(session, template_code=template_code, values=values)
    defaults: dict[str, Any] = {"kind": "standard", "priority": "normal", "is_on_behalf": False}
    values = defaults | values
    for name in ("channel_code", "service_type_code"):
        if not values.get(name):
            raise InvalidError(f"{name} is missing.", "A ticket has a channel and a service type.")
    if values.get("parent_id") is not None:
        raise InvalidError("parent_id cannot be given at creation.", "Attach the child afterwards.")
    check_fields(session, values, allowed=frozenset(TICKET_FIELDS))
    own_references(session, actor, values)
    _own_branch(session, actor, values)
    paused = pending_fields(pending.get("reason"), pending.get("until"), now=now) if pending else {}
    version = active_version(session, service_type_code=values["service_type_code"])
    state = "pending" if pending else "new"
    # The number of the row is its place in the code, known once it is written.
    ticket = Ticket(**values, code=uuid4().hex, state=state, created_at=now)
    session.add(ticket)
    session.flush()
    ticket.code = f"W{to_local(now):%y%m%d}-{ticket.id}"
    work = TicketWork(ticket_id=ticket.id, process_version_id=version.id, state_since=now, clocks={})
    session.add(work)
    changes: Changes = {name: (None, value) for name, value in values.items() if value is not None}
    changes |= set_fields(work, paused)
    step = Step("created", "create", state, str(pending["reason"]) if pending else None)
    record(session, actor=actor, ticket=ticket, work=work, step=step, changes=changes, now=now)
    session.add_all(template(ticket.id))
    session.flush()
    return ticket


def _own_branch(session: Session, actor: Actor, values: dict[str, Any]) -> None:
    """A branch opens tickets of its own only; one that names no unit is its own, so that it goes on seeing it."""
    if actor.role not in BRANCH_ROLES or actor.is_province:
        return
    if values.get("unit_id") is None:
        values["unit_id"] = actor.unit_id
        return
    unit = session.get_one(OrgUnit, values["unit_id"])
    if actor.unit_id not in (unit.id, unit.parent_id):
        raise NotAllowedError(f"Unit {unit.id} is not of your branch.", "Leave it to the province.")


def check_fields(session: Session, values: Mapping[str, Any], *, allowed: frozenset[str]) -> None:
    """InvalidError for a field that is not `allowed`, too long, or names nothing that exists."""
    for name, value in values.items():
        if name not in allowed:
            raise InvalidError(f"{name!r} is no field that can be set here.", f"Known: {', '.join(sorted(allowed))}.")
        if name in _CHOICES and value not in _CHOICES[name]:
            raise InvalidError(f"{name} is {value!r}.", f"It is one of: {', '.join(_CHOICES[name])}.")
        if value is None:
            if name in ("service_type_code", "channel_code"):
                raise InvalidError(f"{name} cannot be empty.")
            continue
        if name in _LENGTHS and (not isinstance(value, str) or len(value) > _LENGTHS[name] or "\x00" in value):
            raise InvalidError(f"{name} is not a text of at most {_LENGTHS[name]} characters.")
        if name in _REFERENCES and not _exists(session, _REFERENCES[name], value):
            raise InvalidError(f"{name} is {value!r}, which does not exist.")


def _exists(session: Session, model: type[Base], key: Any) -> bool:
    expected = inspect(model).primary_key[0].type.python_type
    if not isinstance(key, expected) or isinstance(key, bool):
        return False
    row = session.get(model, key)
    return row is not None and getattr(row, "deleted_at", None) is None


def get(session: Session, *, actor: Actor, ticket_id: int, now: datetime | None = None) -> TicketView:
    """A ticket as `actor` sees it now; NotFoundError if they don't."""
    at = now or utc_now()
    # First: each statement sees what is committed by then, and fields older than their version would hide an edit.
    version = version_of(session, ticket_id)
    ticket = find(session, actor=actor, ticket_id=ticket_id)
    work = session.get(TicketWork, ticket.id)
    if ticket.source != "captured":
        return TicketView(ticket, None, None, version, [])
    if work is None:
        begin_writing(session)
        work = adopt(session, ticket=ticket, now=at)
    clocks = standing(session, ticket=ticket, work=work, now=at)
    steps = options(session, actor=actor, ticket=ticket, work=work, now=at)
    return TicketView(ticket, work, clocks, version, steps)


def get_by_code(session: Session, *, actor: Actor, code: str, now: datetime | None = None) -> TicketView:
    """The ticket of that code as `actor` sees it; NotFoundError if they don't."""
    found = session.scalar(select(Ticket.id).where(Ticket.code == code, visible(actor)))
    return get(session, actor=actor, ticket_id=found or 0, now=now)


def history(session: Session, *, actor: Actor, ticket_id: int) -> list[tuple[TicketEvent, TicketEventDetail | None]]:
    """The events of a ticket with their details, oldest first."""
    find(session, actor=actor, ticket_id=ticket_id)
    rows = session.execute(
        select(TicketEvent, TicketEventDetail)
        .outerjoin(TicketEventDetail, TicketEventDetail.event_id == TicketEvent.id)
        .where(TicketEvent.ticket_id == ticket_id)
        .order_by(TicketEvent.event_number)
    )
    return [(row[0], row[1]) for row in rows]


def explain(
    session: Session, *, actor: Actor, ticket_id: int, clock: Clock, now: datetime | None = None
) -> Explanation:
    """Why a deadline of the ticket is what it is: what counted, what did not, and why."""
    ticket = find(session, actor=actor, ticket_id=ticket_id)
    work = session.get(TicketWork, ticket_id)
    if work is None:
        ticket, work = hold(session, actor=actor, ticket_id=ticket_id, now=now or utc_now())
    return explain_clock(session, ticket=ticket, work=work, clock=clock, now=now)


def edit(
    session: Session,
    *,
    actor: Actor,
    ticket_id: int,
    changes: Mapping[str, Any],
    expected_version: int,
    action: str = "edit",
    now: datetime | None = None,
) -> TicketEvent | None:
    """Change fields of a ticket; what the caller did not see is refused field by field. None: nothing differed.

    Raises:
        EditedMeanwhileError: somebody changed one of these fields, to something else, after `expected_version`.
    """
    at = now or utc_now()
    ticket, work = hold(session, actor=actor, ticket_id=ticket_id, now=at)
    allowed = _editable(session, actor, ticket)
    check_fields(session, changes, allowed=allowed)
    own_references(session, actor, changes)
    meanwhile = changed_since(session, ticket_id, expected_version)
    present = {name: getattr(work if name == "handler" else ticket, name) for name in changes}
    clashes = {name: meanwhile[name] for name in changes if name in meanwhile and changes[name] != present[name]}
    if clashes:
        raise EditedMeanwhileError(clashes)
    done = set_fields(ticket, {name: value for name, value in changes.items() if name != "handler"})
    done |= set_fields(work, {name: value for name, value in changes.items() if name == "handler"})
    if not done:
        return None
    step = Step("updated", action, ticket.state)
    return record(session, actor=actor, ticket=ticket, work=work, step=step, changes=done, now=at)


def _editable(session: Session, actor: Actor, ticket: Ticket) -> frozenset[str]:
    """The fields of this ticket that `actor` may change now."""
    if ticket.state in ENDED_STATES:
        raise WrongStateError(f"Ticket {ticket.code} is {ticket.state}: its fields stay as they are.", "Reopen it.")
    if actor.role in PROVINCIAL_ROLES and actor.is_province:
        # Once a branch has it, another branch gets it by returning and dispatching only.
        return EDITABLE if ticket.state == "new" else EDITABLE - {"unit_id"}
    if actor.role == "agent" and ticket.state in ("new", "pending"):
        return EDITABLE - {"handler"}
    if works_on(session, actor=actor, ticket=ticket):
        return BRANCH_EDITABLE
    raise NotAllowedError(f"{actor.role} may not change ticket {ticket.code} while it is {ticket.state}.")
