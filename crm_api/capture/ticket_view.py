"""What a ticket's page shows, gathered in one place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import BRANCH_ROLES, Actor
from core.time import utc_now
from crm_api.attachments.service import attachments
from crm_api.capture import names
from crm_api.capture.models import Draft, TicketPresence
from crm_api.customers.models import Customer, CustomerPhone
from crm_api.customers.schemas import PhoneOut, phone_out
from crm_api.errors import NotFoundError
from crm_api.identity.models import User
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.organisation.models import OrgUnit
from crm_api.sla.clocks import Reading
from crm_api.tickets import service
from crm_api.tickets.access import visible, works_on
from crm_api.tickets.assignments import assignments
from crm_api.tickets.checklists import items
from crm_api.tickets.comments import comments
from crm_api.tickets.continuing import can_continue, is_imported
from crm_api.tickets.loop_models import FOLLOW_UP_OUTCOMES, LINK_KINDS, PENDING_REASONS, FollowUpCall
from crm_api.tickets.models import PRIORITIES, Ticket
from crm_api.tickets.process_service import definition_of
from crm_api.tickets.relations import children, links

#: After so long without a sign somebody no longer has the page open.
PRESENT = timedelta(seconds=50)
#: Steps along the loop's main way, as the page's progress line shows them.
MAIN_WAY = ("new", "dispatched", "accepted", "in_progress", "resolved", "in_review", "follow_up", "closed")
_SHARED = frozenset({"accepted", "in_progress", "pending"})


@dataclass(frozen=True)
class Gauge:
    """A clock as it is drawn: how much of its target is used, what is left, how it stands."""

    reading: Reading

    @property
    def percent(self) -> int:
        """Of the target used, at most 100 for drawing."""
        return min(100, round(100 * self.reading.elapsed.total_seconds() / self.reading.terms.target_seconds))

    @property
    def left(self) -> timedelta:
        """Business time left; negative when over."""
        return timedelta(seconds=self.reading.terms.target_seconds) - self.reading.elapsed

    @property
    def look(self) -> str:
        """late, at_risk, fine, paused, met, missed or void."""
        if self.reading.standing != "running":
            return self.reading.standing
        if self.left <= timedelta():
            return "late"
        return "at_risk" if self.percent >= 75 else "fine"


def context(session: Session, identity: Identity, ticket_id: int) -> dict[str, Any]:
    """Everything for the page; NotFoundError if the reader does not see the ticket."""
    actor = identity.actor
    view = service.get(session, actor=actor, ticket_id=ticket_id)
    ticket = view.ticket
    given = assignments(session, actor=actor, ticket_id=ticket_id)
    rows = service.history(session, actor=actor, ticket_id=ticket_id)
    remarks = comments(session, actor=actor, ticket_id=ticket_id)
    spoken_of = [ticket.unit_id, *(row.unit_id for row in given), *(event.unit_id for event, _ in rows)]
    spoken_of += [row.unit_id for row in remarks]
    for _, detail in rows:
        for field in ("unit_id", "county_id"):
            spoken_of += [each for each in (detail.changes.get(field) or []) if isinstance(each, int)] if detail else []
    works = works_on(session, actor=actor, ticket=ticket)
    open_counties = [row for row in given if row.returned_at is None]
    customer = _customer(session, actor, ticket.customer_id)
    return {
        "ticket": ticket,
        "work": view.work,
        "version": view.version,
        "options": view.options,
        "clocks": [Gauge(reading) for reading in view.clocks.readings.values()] if view.clocks else [],
        "history": rows,
        "comments": remarks,
        "assignments": given,
        "units": names.units(session, spoken_of),
        "customer": customer,
        "phones": _phones(session, customer),
        "checklist": items(session, ticket_id=ticket_id),
        "children": children(session, actor=actor, ticket_id=ticket_id),
        "linked": _linked(session, actor, ticket_id),
        "parent": _parent(session, actor, ticket.parent_id),
        "link_kinds": LINK_KINDS,
        "files": attachments(session, actor=actor, owner="ticket", owner_id=ticket_id),
        "child_key": uuid4().hex,
        "imported": is_imported(ticket),
        "continues": can_continue(ticket) and identity.may(Permission.TICKET_CREATE),
        "handlers": _handlers(session, ticket.unit_id),
        "clashes": [],
        "kept": {},
        "calls": _calls(session, ticket_id),
        "cities": names.cities(session) if actor.is_province else [],
        "proposed": _proposed(session, ticket.unit_id, customer),
        "counties": names.counties(session, actor.unit_id)
        if works and actor.unit_kind == "city" and ticket.state in _SHARED
        else [],
        "returnable": [
            row for row in open_counties if row.unit_id == actor.unit_id or (works and actor.unit_kind == "city")
        ]
        if actor.role in BRANCH_ROLES
        else [],
        "main_way": MAIN_WAY,
        "reached": _reached(rows),
        "pending_reasons": PENDING_REASONS,
        "outcomes": FOLLOW_UP_OUTCOMES,
        "complaint_groups": names.complaint_groups(session),
        "products": names.products(session),
        "service_types": {row.code: row for row in names.service_types(session)},
        "channels": {row.code: row for row in names.channels(session)},
        "priorities": PRIORITIES,
        "editable": ticket.state not in ("closed", "cancelled")
        and not is_imported(ticket)
        and _edits(actor, works, ticket.state),
        "typed": _draft(session, identity.user_id, f"ticket:{ticket_id}"),
        "process": definition_of(session, view.work.process_version_id) if view.work else None,
    }


def _edits(actor: Actor, works: bool, state: str) -> bool:
    if actor.role == "agent":
        return state in ("new", "pending")
    return works or actor.role in ("dispatcher", "reviewer", "supervisor")


def _customer(session: Session, actor: Actor, customer_id: int | None) -> Customer | None:
    """The ticket's customer; who sees the ticket sees whose it is."""
    return session.get(Customer, customer_id) if customer_id is not None else None


def _phones(session: Session, customer: Customer | None) -> list[PhoneOut]:
    """The customer's numbers, masked, primary ones first."""
    if customer is None:
        return []
    own = select(CustomerPhone).where(CustomerPhone.customer_id == customer.id, CustomerPhone.deleted_at.is_(None))
    return [phone_out(row) for row in session.scalars(own.order_by(CustomerPhone.is_primary.desc(), CustomerPhone.id))]


def _proposed(session: Session, unit_id: int | None, customer: Customer | None) -> int | None:
    """The city branch that a dispatch most likely goes to."""
    return names.city_above(session, unit_id) or names.city_above(session, customer.unit_id if customer else None)


def _parent(session: Session, actor: Actor, parent_id: int | None) -> Ticket | None:
    """The ticket above, if the reader sees it."""
    return session.scalar(select(Ticket).where(Ticket.id == parent_id, visible(actor))) if parent_id else None


def _linked(session: Session, actor: Actor, ticket_id: int) -> list[tuple[str, Ticket]]:
    """The tickets that are linked to this one and that the reader sees, each with the kind of the link."""
    rows = links(session, actor=actor, ticket_id=ticket_id)
    others = {row.other_id if row.ticket_id == ticket_id else row.ticket_id: row.kind for row in rows}
    seen = session.scalars(select(Ticket).where(Ticket.id.in_(others), visible(actor)).order_by(Ticket.id))
    return [(others[row.id], row) for row in seen]


def _handlers(session: Session, unit_id: int | None) -> Sequence[User]:
    """Who may be given the ticket at its branch and the counties below."""
    if unit_id is None:
        return ()
    below = select(OrgUnit.id).where((OrgUnit.id == unit_id) | (OrgUnit.parent_id == unit_id))
    statement = select(User).where(User.unit_id.in_(below), User.is_active, User.role.in_(BRANCH_ROLES))
    return session.scalars(statement.order_by(User.display_name, User.id).limit(200)).all()


def _calls(session: Session, ticket_id: int) -> list[FollowUpCall]:
    statement = select(FollowUpCall).where(FollowUpCall.ticket_id == ticket_id)
    return list(session.scalars(statement.order_by(FollowUpCall.attempt_number)))


def _reached(rows: list[Any]) -> set[str]:
    return {event.to_state for event, _ in rows}


def _draft(session: Session, user_id: int, place: str) -> dict[str, str]:
    found = session.scalars(select(Draft).where(Draft.user_id == user_id, Draft.place == place)).first()
    return dict(found.fields) if found else {}


def others(session: Session, identity: Identity, ticket_id: int, *, editing: bool) -> list[tuple[User, bool]]:
    """Say that one is here, and hear who else is: the person, and whether they are typing."""
    now = utc_now()
    session.merge(TicketPresence(ticket_id=ticket_id, user_id=identity.user_id, is_editing=editing, seen_at=now))
    session.flush()
    rows = session.execute(
        select(User, TicketPresence.is_editing)
        .join(TicketPresence, TicketPresence.user_id == User.id)
        .where(
            TicketPresence.ticket_id == ticket_id,
            TicketPresence.user_id != identity.user_id,
            TicketPresence.seen_at > now - PRESENT,
        )
        .order_by(User.display_name)
    )
    return [(user, typing) for user, typing in rows]


def unit_named(session: Session, unit_id: int) -> OrgUnit:
    """The unit of that id; NotFoundError if there is none."""
    unit = session.get(OrgUnit, unit_id)
    if unit is None:
        raise NotFoundError(f"There is no unit {unit_id}.")
    return unit
