"""Going on where a ticket has ended: a new ticket about the same, linked to the old one, which stays as it is."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.actor import Actor
from crm_api.organisation.models import OrgUnit
from crm_api.tickets import relations, service
from crm_api.tickets.access import find
from crm_api.tickets.errors import WrongStateError
from crm_api.tickets.models import ENDED_STATES, Ticket

#: What the new ticket takes over from the old one.
TAKEN_OVER = (
    "customer_id",
    "channel_code",
    "service_type_code",
    "complaint_type_code",
    "product_code",
    "unit_id",
    "township_id",
    "priority",
)


def is_imported(ticket: Ticket) -> bool:
    """Whether it is foreign history: read, linked and continued, never worked."""
    return ticket.source != "captured"


def can_continue(ticket: Ticket) -> bool:
    """Whether a new ticket goes on from it: it has ended, or is foreign history."""
    return is_imported(ticket) or ticket.state in ENDED_STATES


def continue_ticket(
    session: Session,
    *,
    actor: Actor,
    ticket_id: int,
    title: str | None = None,
    description: str | None = None,
    idempotency_key: str | None = None,
    now: datetime | None = None,
) -> Ticket:
    """Open a ticket of the same customer, branch and kind, linked to the one that it continues.

    Args:
        title: None: the old one's.

    Raises:
        NotFoundError: `actor` does not see the old ticket.
        WrongStateError: the old ticket is still worked.
        NotAllowedError: the role opens no tickets.
    """
    old = find(session, actor=actor, ticket_id=ticket_id)
    if not can_continue(old):
        raise WrongStateError(f"Ticket {old.code} is {old.state}.", "Go on with it, or open a child.")
    values = {name: getattr(old, name) for name in TAKEN_OVER if getattr(old, name) is not None}
    unit = session.get(OrgUnit, old.unit_id) if old.unit_id else None
    # A ticket begins at the province; its proposed branch is a city's.
    if unit is not None and unit.kind == "county" and actor.is_province:
        values["unit_id"] = unit.parent_id
    values["title"] = title or old.title or old.code
    if description:
        values["description"] = description
    made = service.create(session, actor=actor, values=values, idempotency_key=idempotency_key, now=now)
    session.flush()
    # Repeated with its key the ticket is there already, and so is its link.
    linked = {row.other_id for row in relations.links(session, actor=actor, ticket_id=made.id)}
    if old.id not in linked:
        relations.link(session, actor=actor, ticket_id=made.id, other_id=old.id, now=now)
    return made
