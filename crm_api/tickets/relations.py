"""Children and links: an outage gathers the complaints about it; related tickets point at one another."""

from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.actor import PROVINCIAL_ROLES, Actor
from core.time import utc_now
from crm_api.dialect import begin_writing
from crm_api.errors import ConflictError, InvalidError, NotAllowedError
from crm_api.tickets.access import find, hold, visible, works_on
from crm_api.tickets.errors import WrongStateError
from crm_api.tickets.history import Step, record, set_fields
from crm_api.tickets.loop_models import LINK_KINDS, TicketLink
from crm_api.tickets.models import ENDED_STATES, Ticket, TicketEvent
from crm_api.tickets.transitions import SETTLED_STATES

_DEEPEST = 10


def children(session: Session, *, actor: Actor, ticket_id: int) -> list[Ticket]:
    """The children of a ticket that `actor` sees, oldest first."""
    return list(session.scalars(children_of(session, actor=actor, ticket_id=ticket_id).order_by(Ticket.id)))


def children_of(session: Session, *, actor: Actor, ticket_id: int) -> Select[Ticket]:
    """The statement that reads the children `actor` sees, for lists that page."""
    find(session, actor=actor, ticket_id=ticket_id)
    return select(Ticket).where(Ticket.parent_id == ticket_id, Ticket.deleted_at.is_(None), visible(actor))


def attach(
    session: Session, *, actor: Actor, ticket_id: int, parent_id: int | None, now: datetime | None = None
) -> TicketEvent | None:
    """Make a ticket the child of another, or nobody's (None); None is returned if it was so already.

    Raises:
        WrongStateError: either has ended, the parent is past its work, or the two would form a circle.
    """
    at = now or utc_now()
    # Held in the order of their numbers, so that two people attaching crosswise do not wait for each other.
    for number in sorted(filter(None, (ticket_id, parent_id))):
        hold(session, actor=actor, ticket_id=number, now=at)
    ticket, work = hold(session, actor=actor, ticket_id=ticket_id, now=at)
    _require_worker(session, actor, ticket)
    if ticket.state in ENDED_STATES:
        raise WrongStateError(f"Ticket {ticket.code} is {ticket.state}.", "Link it instead.")
    if parent_id is not None:
        parent = session.get_one(Ticket, parent_id)
        if parent.state in SETTLED_STATES and ticket.state not in SETTLED_STATES:
            raise WrongStateError(f"{parent.code} is {parent.state}: it takes no open child.", "Link it instead.")
        _refuse_circle(session, ticket, parent)
    changes = set_fields(ticket, {"parent_id": parent_id})
    if not changes:
        return None
    step = Step("updated", "attach" if parent_id else "detach", ticket.state)
    return record(session, actor=actor, ticket=ticket, work=work, step=step, changes=changes, now=at)


def _refuse_circle(session: Session, ticket: Ticket, parent: Ticket) -> None:
    above: int | None = parent.id
    for _ in range(_DEEPEST):
        if above is None:
            return
        if above == ticket.id:
            raise WrongStateError(f"{ticket.code} stands above {parent.code} already.", guard="circle")
        above = session.scalar(select(Ticket.parent_id).where(Ticket.id == above))
    raise WrongStateError(f"Tickets are nested at most {_DEEPEST} deep.", guard="circle")


def link(
    session: Session, *, actor: Actor, ticket_id: int, other_id: int, kind: str = "related", now: datetime | None = None
) -> TicketLink:
    """Point from a ticket to another.

    Raises:
        ConflictError: the link is there already.
    """
    if kind not in LINK_KINDS:
        raise InvalidError(f"kind is {kind!r}.", f"It is one of: {', '.join(LINK_KINDS)}.")
    if ticket_id == other_id:
        raise InvalidError("A ticket is not linked to itself.")
    begin_writing(session)
    for number in (ticket_id, other_id):
        find(session, actor=actor, ticket_id=number)
    made = TicketLink(
        ticket_id=ticket_id, other_id=other_id, kind=kind, created_by=actor.username, created_at=now or utc_now()
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError as error:
        raise ConflictError(f"Ticket {ticket_id} is linked to {other_id} already.") from error
    return made


def links(session: Session, *, actor: Actor, ticket_id: int) -> list[TicketLink]:
    """The links from and to a ticket whose other end `actor` sees too."""
    find(session, actor=actor, ticket_id=ticket_id)
    either = or_(TicketLink.ticket_id == ticket_id, TicketLink.other_id == ticket_id)
    found = session.scalars(select(TicketLink).where(either).order_by(TicketLink.id)).all()
    ends = {end for row in found for end in (row.ticket_id, row.other_id)}
    shown = select(Ticket.id).where(Ticket.id.in_(ends), Ticket.deleted_at.is_(None), visible(actor))
    seen = set(session.scalars(shown))
    return [row for row in found if {row.ticket_id, row.other_id} <= seen]


def _require_worker(session: Session, actor: Actor, ticket: Ticket) -> None:
    provincial = actor.role in PROVINCIAL_ROLES and actor.is_province
    if not (provincial or actor.role == "agent" or works_on(session, actor=actor, ticket=ticket)):
        raise NotAllowedError(f"{actor.role} may not attach ticket {ticket.code}.")
