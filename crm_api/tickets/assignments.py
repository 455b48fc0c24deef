"""Nested assignments: a branch sends a ticket on to its counties and gets it back; the ticket's state stays."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import BRANCH_ROLES, Actor
from core.time import utc_now
from crm_api.errors import InvalidError, NotAllowedError
from crm_api.organisation.models import OrgUnit
from crm_api.tickets.access import find, hold, works_on
from crm_api.tickets.errors import MissingFieldsError, WrongStateError
from crm_api.tickets.history import Changes, Step, record
from crm_api.tickets.loop_models import TicketAssignment
from crm_api.tickets.models import TicketEvent

#: States in which a branch has the ticket and may share it out.
_SHARED_STATES = frozenset({"accepted", "in_progress", "pending"})


def assignments(session: Session, *, actor: Actor, ticket_id: int) -> list[TicketAssignment]:
    """The nested assignments of a ticket, in the order in which they were sent."""
    find(session, actor=actor, ticket_id=ticket_id)
    statement = select(TicketAssignment).where(TicketAssignment.ticket_id == ticket_id)
    return list(session.scalars(statement.order_by(TicketAssignment.id)))


def sub_dispatch(
    session: Session,
    *,
    actor: Actor,
    ticket_id: int,
    unit_id: int,
    reason: str | None = None,
    now: datetime | None = None,
) -> TicketAssignment:
    """Send a ticket of one's branch on to one of its counties.

    Raises:
        NotAllowedError: the ticket is not of the actor's branch.
        InvalidError: the unit is not one of the branch's counties.
        WrongStateError: the branch does not have the ticket, or the county has it already.
    """
    at = now or utc_now()
    ticket, work = hold(session, actor=actor, ticket_id=ticket_id, now=at)
    if not works_on(session, actor=actor, ticket=ticket) or actor.unit_kind != "city":
        raise NotAllowedError(f"{actor.role} may not send ticket {ticket.code} to a county.", "Its branch does.")
    county = session.get(OrgUnit, unit_id)
    if county is None or county.kind != "county" or county.parent_id != actor.unit_id:
        raise InvalidError(f"unit_id is {unit_id!r}, no county of your branch.")
    if ticket.state not in _SHARED_STATES:
        raise WrongStateError(f"Ticket {ticket.code} is {ticket.state}.", "Accept it before you share it out.")
    if _open(session, ticket_id, unit_id) is not None:
        raise WrongStateError(f"{county.name_en} has ticket {ticket.code} already.", guard="assigned")
    assignment = TicketAssignment(ticket_id=ticket_id, unit_id=unit_id, sent_by=actor.username, sent_at=at)
    session.add(assignment)
    changes: Changes = {"county_id": (None, unit_id)}
    step = Step("sub_dispatched", "sub_dispatch", ticket.state, reason)
    record(session, actor=actor, ticket=ticket, work=work, step=step, changes=changes, now=at)
    return assignment


def return_to_branch(
    session: Session, *, actor: Actor, ticket_id: int, unit_id: int, reason: str, now: datetime | None = None
) -> TicketEvent:
    """Give a county's part back to its branch, with what was done; the branch may also take it back itself.

    Raises:
        NotAllowedError: the actor is neither of the county nor of its branch.
        WrongStateError: the county does not have the ticket.
        MissingFieldsError: what was done is not told.
    """
    at = now or utc_now()
    ticket, work = hold(session, actor=actor, ticket_id=ticket_id, now=at)
    of_county = actor.role in BRANCH_ROLES and actor.unit_kind == "county" and actor.unit_id == unit_id
    of_branch = actor.unit_kind == "city" and works_on(session, actor=actor, ticket=ticket)
    if not (of_county or of_branch):
        raise NotAllowedError(f"{actor.role} may not return ticket {ticket.code} for unit {unit_id}.")
    if not reason.strip():
        raise MissingFieldsError("Return to the branch", ["reason"])
    if len(reason) > 300:
        raise InvalidError(f"The reason has {len(reason)} characters.", "Keep it within 300; the rest is a comment.")
    assignment = _open(session, ticket_id, unit_id)
    if assignment is None:
        raise WrongStateError(f"Unit {unit_id} does not have ticket {ticket.code}.", guard="assigned")
    assignment.returned_at, assignment.returned_by = max(at, assignment.sent_at), actor.username
    changes: Changes = {"county_id": (unit_id, None)}
    step = Step("sub_returned", "return_to_branch" if of_county else "take_back", ticket.state, reason)
    return record(session, actor=actor, ticket=ticket, work=work, step=step, changes=changes, now=at)


def _open(session: Session, ticket_id: int, unit_id: int) -> TicketAssignment | None:
    statement = select(TicketAssignment).where(
        TicketAssignment.ticket_id == ticket_id,
        TicketAssignment.unit_id == unit_id,
        TicketAssignment.returned_at.is_(None),
    )
    return session.scalars(statement).first()
