"""Which tickets somebody sees, which they work, and holding one while it is changed."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.orm import Session

from core.actor import BRANCH_ROLES, PROVINCIAL_ROLES, Actor
from crm_api.dialect import begin_writing
from crm_api.errors import NotFoundError
from crm_api.organisation.models import OrgUnit
from crm_api.sla.service import refresh
from crm_api.tickets.errors import WrongStateError
from crm_api.tickets.loop_models import TicketAssignment, TicketWork
from crm_api.tickets.models import Ticket, TicketEvent
from crm_api.tickets.process_service import active_version

#: Roles of the centre see every ticket wherever their seat stands.
_CENTRE_ROLES = frozenset({"agent", "system"})


def visible(actor: Actor) -> ColumnElement[bool]:
    """The condition on tickets for what `actor` sees: all, a branch's own and its counties', or a county's own.

    A county also sees the tickets that its branch sent it, and goes on seeing them when they went back.
    """
    if actor.is_province or actor.role in _CENTRE_ROLES:
        return true()
    if actor.unit_kind == "city":
        counties = select(OrgUnit.id).where(OrgUnit.parent_id == actor.unit_id)
        return or_(Ticket.unit_id == actor.unit_id, Ticket.unit_id.in_(counties))
    sent = select(TicketAssignment.ticket_id).where(TicketAssignment.unit_id == actor.unit_id)
    return or_(Ticket.unit_id == actor.unit_id, Ticket.id.in_(sent))


def find(session: Session, *, actor: Actor, ticket_id: int) -> Ticket:
    """The ticket, if `actor` sees it; NotFoundError else, whether it exists or not."""
    statement = select(Ticket).where(Ticket.id == ticket_id, Ticket.deleted_at.is_(None), visible(actor))
    ticket = session.scalars(statement).first()
    if ticket is None:
        raise NotFoundError(f"There is no ticket {ticket_id}.")
    return ticket


def hold(session: Session, *, actor: Actor, ticket_id: int, now: datetime) -> tuple[Ticket, TicketWork]:
    """The ticket as it is now and its running work, kept from others until the transaction ends.

    Raises:
        NotFoundError: `actor` does not see it.
        WrongStateError: it is imported history, which nobody works.
    """
    begin_writing(session)
    statement = (
        select(Ticket)
        .where(Ticket.id == ticket_id, Ticket.deleted_at.is_(None), visible(actor))
        .with_for_update(of=Ticket)
        .execution_options(populate_existing=True)
    )
    ticket = session.scalars(statement).first()
    if ticket is None:
        raise NotFoundError(f"There is no ticket {ticket_id}.")
    if ticket.source != "captured":
        raise WrongStateError(
            f"Ticket {ticket.code} is history imported from {ticket.source}.",
            "Open a ticket that continues it.",
            guard="imported",
        )
    work = session.get(TicketWork, ticket_id, populate_existing=True)
    return ticket, work or adopt(session, ticket=ticket, now=now)


def adopt(session: Session, *, ticket: Ticket, now: datetime) -> TicketWork:
    """The running work of a ticket that came into the store without it (loaded in bulk), made from its history."""
    version = active_version(session, service_type_code=ticket.service_type_code)
    since = session.scalar(
        select(TicketEvent.occurred_at)
        .where(
            TicketEvent.ticket_id == ticket.id,
            or_(TicketEvent.from_state.is_(None), TicketEvent.from_state != TicketEvent.to_state),
        )
        .order_by(TicketEvent.event_number.desc())
        .limit(1)
    )
    work = TicketWork(ticket_id=ticket.id, process_version_id=version.id, state_since=since or now, clocks={})
    session.add(work)
    if since is not None:
        first, resolution = ticket.first_response_due_at, ticket.resolution_due_at
        refresh(session, ticket=ticket, work=work, now=now, rematch=True)
        # What was promised when it was loaded stays promised until its work goes on.
        ticket.first_response_due_at = first or ticket.first_response_due_at
        ticket.resolution_due_at = resolution or ticket.resolution_due_at
    session.flush()
    return work


def works_on(session: Session, *, actor: Actor, ticket: Ticket) -> bool:
    """Whether `actor` works in the branch that the ticket was sent to."""
    if actor.role not in BRANCH_ROLES or actor.is_province or ticket.unit_id is None:
        return False
    if ticket.unit_id == actor.unit_id:
        return True
    mine = and_(OrgUnit.id == ticket.unit_id, OrgUnit.parent_id == actor.unit_id)
    return actor.unit_kind == "city" and session.scalar(select(OrgUnit.id).where(mine)) is not None


def acts(session: Session, *, actor: Actor, ticket: Ticket) -> bool:
    """Whether a step open to the actor's role is open to them here: the province everywhere, a branch on its own."""
    if actor.role in BRANCH_ROLES:
        return works_on(session, actor=actor, ticket=ticket)
    return actor.is_province if actor.role in PROVINCIAL_ROLES else True
