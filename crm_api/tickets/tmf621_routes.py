"""TM Forum TMF621 v5: trouble tickets listed, read, created and changed, on the loop's own services."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actor import Actor
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.tickets import service
from crm_api.tickets.access import find, visible
from crm_api.tickets.history import version_of
from crm_api.tickets.models import Ticket
from crm_api.tickets.tmf621 import (
    PATH,
    PRIORITY_OF,
    STATUS_OF,
    Severity,
    Status,
    TroubleTicket,
    TroubleTicketChangeIn,
    TroubleTicketIn,
    change,
    trouble_tickets,
    values_of,
)
from crm_api.tickets.versions import version_seen
from crm_api.web.dependencies import DbSession, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.versions import IfMatch, set_etag

router = APIRouter(prefix=PATH, tags=["TMF621 trouble ticket"])
Reader = Annotated[Identity, requires(Permission.TICKET_READ)]
Worker = Annotated[Identity, requires(Permission.TICKET_WORK)]
Creator = Annotated[Identity, requires(Permission.TICKET_CREATE)]


def _body(session: Session, actor: Actor, ticket: Ticket) -> TroubleTicket:
    return trouble_tickets(session, actor=actor, tickets=[ticket])[0]


@router.get("", responses=problems())
def list_trouble_tickets(
    identity: Reader,
    session: DbSession,
    response: Response,
    status: Annotated[Status | None, Query()] = None,
    severity: Annotated[Severity | None, Query()] = None,
    ticket_type: Annotated[str | None, Query(alias="ticketType", max_length=60)] = None,
    offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[TroubleTicket]:
    """Trouble tickets that the caller sees, newest first; X-Total-Count says how many there are (at most 10001)."""
    statement = select(Ticket).where(Ticket.deleted_at.is_(None), visible(identity.actor))
    if status is not None:
        statement = statement.where(Ticket.state.in_([ours for ours, theirs in STATUS_OF.items() if theirs == status]))
    if severity is not None:
        statement = statement.where(Ticket.priority == PRIORITY_OF[severity])
    if ticket_type is not None:
        statement = statement.where(Ticket.service_type_code == ticket_type)
    # Counting millions for a header would cost more than the page.
    counted = statement.with_only_columns(Ticket.id).order_by(None).limit(10_001).subquery()
    total = session.scalar(select(func.count()).select_from(counted)) or 0
    rows = list(session.scalars(statement.order_by(Ticket.id.desc()).offset(offset).limit(limit)))
    response.headers["X-Total-Count"] = str(total)
    response.headers["X-Result-Count"] = str(len(rows))
    return trouble_tickets(session, actor=identity.actor, tickets=rows)


@router.get("/{ticket_id}", responses=problems(404))
def get_trouble_ticket(ticket_id: RowId, identity: Reader, session: DbSession, response: Response) -> TroubleTicket:
    """One trouble ticket with the changes of its status."""
    ticket = find(session, actor=identity.actor, ticket_id=ticket_id)
    set_etag(response, version_of(session, ticket_id))
    return _body(session, identity.actor, ticket)


@router.post("", status_code=201, response_model=TroubleTicket, responses=problems(409))
def create_trouble_ticket(body: TroubleTicketIn, identity: Creator, session: DbSession, once: Idempotent) -> Response:
    """Open a ticket at the province."""

    def produce() -> TroubleTicket:
        values = values_of(body)
        ticket = service.create(session, actor=identity.actor, values=values)
        session.flush()
        return _body(session, identity.actor, ticket)

    return once.run(produce)


@router.patch("/{ticket_id}", responses=problems(404, 409, 412))
def change_trouble_ticket(
    ticket_id: RowId,
    body: TroubleTicketChangeIn,
    identity: Worker,
    session: DbSession,
    response: Response,
    if_match: IfMatch = None,
) -> TroubleTicket:
    """Change severity, name, description, or the status: the latter is a step of the loop, refused like one."""
    ticket = find(session, actor=identity.actor, ticket_id=ticket_id)
    seen = version_seen(if_match, version_of(session, ticket_id))
    change(session, actor=identity.actor, ticket=ticket, body=body, seen=seen)
    session.flush()
    set_etag(response, version_of(session, ticket_id))
    return _body(session, identity.actor, ticket)
