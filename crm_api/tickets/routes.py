"""Tickets: opened, listed, read with their clocks and history, edited, taken from step to step."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_api.identity.permissions import Permission
from crm_api.identity.schemas import Instant
from crm_api.identity.sessions import Identity
from crm_api.tickets import bulk_routes, monitor_routes, process_routes, service, tmf621_routes, work_routes
from crm_api.tickets.access import find, visible
from crm_api.tickets.history import version_of
from crm_api.tickets.loop_models import TicketWork
from crm_api.tickets.models import Ticket
from crm_api.tickets.schemas import (
    ClockName,
    EventOut,
    ExplanationOut,
    Priority,
    StepTaken,
    StretchOut,
    TicketChangeIn,
    TicketDetails,
    TicketIn,
    TicketKind,
    TicketOut,
    TicketState,
    TransitionIn,
    clock_out,
    details_out,
    event_out,
)
from crm_api.tickets.versions import version_required, version_seen
from crm_api.web.dependencies import DbSession, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.paging import Paging, fetch_page
from crm_api.web.schemas import Page
from crm_api.web.versions import IfMatch, set_etag

router = APIRouter()
tickets = APIRouter(prefix="/api/v1/tickets", tags=["tickets"])
Reader = Annotated[Identity, requires(Permission.TICKET_READ)]
Worker = Annotated[Identity, requires(Permission.TICKET_WORK)]
Creator = Annotated[Identity, requires(Permission.TICKET_CREATE)]
Id = Annotated[int | None, Query(ge=1, le=2**63 - 1)]
Code = Annotated[str | None, Query(max_length=80)]


def taken(session: Session, ticket: Ticket) -> StepTaken:
    """The body for a ticket that was just changed."""
    session.flush()
    return StepTaken(ticket=TicketOut.model_validate(ticket), version=version_of(session, ticket.id))


@tickets.post("", status_code=201, response_model=StepTaken, responses=problems(409))
def create_ticket(body: TicketIn, identity: Creator, session: DbSession, once: Idempotent) -> Response:
    """Open a ticket at the province; repeated with one Idempotency-Key it is opened once."""

    def produce() -> StepTaken:
        values = body.model_dump(exclude={"template_code", "pending"}, exclude_unset=True, exclude_none=True)
        ticket = service.create(
            session,
            actor=identity.actor,
            values=values,
            template_code=body.template_code,
            pending=body.pending.model_dump() if body.pending else None,
        )
        return taken(session, ticket)

    return once.run(produce)


@tickets.get("", responses=problems())
def list_tickets(
    identity: Reader,
    session: DbSession,
    page: Paging,
    state: Annotated[list[TicketState] | None, Query(description="Any of these")] = None,
    unit_id: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Branch, exactly this unit")] = None,
    customer_id: Id = None,
    contact_id: Id = None,
    parent_id: Id = None,
    kind: Annotated[TicketKind | None, Query()] = None,
    priority: Annotated[Priority | None, Query()] = None,
    channel: Code = None,
    service_type: Code = None,
    complaint_type: Code = None,
    product: Code = None,
    handler: Annotated[str | None, Query(max_length=60, description="User name of who works it")] = None,
    since: Annotated[Instant | None, Query(description="Created at or after")] = None,
    until: Annotated[Instant | None, Query(description="Created before")] = None,
) -> Page[TicketOut]:
    """Tickets that the caller sees, newest first."""
    statement = select(Ticket).where(Ticket.deleted_at.is_(None), visible(identity.actor))
    for column, value in (
        (Ticket.unit_id, unit_id),
        (Ticket.customer_id, customer_id),
        (Ticket.contact_id, contact_id),
        (Ticket.parent_id, parent_id),
        (Ticket.kind, kind),
        (Ticket.priority, priority),
        (Ticket.channel_code, channel),
        (Ticket.service_type_code, service_type),
        (Ticket.complaint_type_code, complaint_type),
        (Ticket.product_code, product),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if state:
        statement = statement.where(Ticket.state.in_(state))
    if handler is not None:
        worked = select(TicketWork.ticket_id).where(TicketWork.handler == handler)
        statement = statement.where(Ticket.id.in_(worked))
    if since is not None:
        statement = statement.where(Ticket.created_at >= since)
    if until is not None:
        statement = statement.where(Ticket.created_at < until)
    rows, cursor = fetch_page(session, statement, keys=[Ticket.id], page=page, descending=True)
    return Page(items=[TicketOut.model_validate(row) for row in rows], next_cursor=cursor)


@tickets.get("/by-code/{code}", responses=problems(404))
def get_ticket_by_code(code: str, identity: Reader, session: DbSession, response: Response) -> TicketDetails:
    """The ticket of that code, e.g. W260302-17."""
    view = service.get_by_code(session, actor=identity.actor, code=code[:80])
    set_etag(response, view.version)
    return details_out(view)


@tickets.get("/{ticket_id}", responses=problems(404))
def get_ticket(ticket_id: RowId, identity: Reader, session: DbSession, response: Response) -> TicketDetails:
    """One ticket with its clocks as they stand and the steps open to the caller; the ETag is its version."""
    view = service.get(session, actor=identity.actor, ticket_id=ticket_id)
    set_etag(response, view.version)
    return details_out(view)


@tickets.patch("/{ticket_id}", responses=problems(404, 409, 412, 428))
def change_ticket(
    ticket_id: RowId,
    body: TicketChangeIn,
    identity: Worker,
    session: DbSession,
    response: Response,
    if_match: IfMatch = None,
) -> StepTaken:
    """Change fields. 409 edited-meanwhile names the fields that others changed since the version in If-Match."""
    ticket = find(session, actor=identity.actor, ticket_id=ticket_id)
    seen = version_required(if_match, version_of(session, ticket_id))
    changes = body.model_dump(exclude_unset=True)
    service.edit(session, actor=identity.actor, ticket_id=ticket_id, changes=changes, expected_version=seen)
    answer = taken(session, ticket)
    set_etag(response, answer.version)
    return answer


@tickets.get("/{ticket_id}/history", responses=problems(404))
def get_history(ticket_id: RowId, identity: Reader, session: DbSession) -> list[EventOut]:
    """Every step of the ticket, oldest first; history is append-only."""
    return [event_out(*row) for row in service.history(session, actor=identity.actor, ticket_id=ticket_id)]


@tickets.post("/{ticket_id}/transitions", response_model=StepTaken, responses=problems(404, 409, 412))
def take_step(
    ticket_id: RowId,
    body: TransitionIn,
    identity: Worker,
    session: DbSession,
    once: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """Take a step of the loop (dispatch, accept, resolve, close …).

    403: not yours to take. 409: the state or what hangs on the ticket stands against it (extra.guard), or somebody
    was faster (extra.differences). 422 missing-fields names in extra.fields what the process asks for.
    """

    def produce() -> StepTaken:
        ticket = find(session, actor=identity.actor, ticket_id=ticket_id)
        fields = body.fields.model_dump(exclude_none=True)
        kept = {name: value for name, value in fields.items() if name == "complaint_type_code"}
        service.check_fields(session, kept, allowed=frozenset(kept))
        service.transition(
            session,
            actor=identity.actor,
            ticket_id=ticket_id,
            step=body.step,
            reason=body.reason,
            fields=fields,
            expected_version=version_seen(if_match, version_of(session, ticket_id), body=body.version),
        )
        return taken(session, ticket)

    return once.run(produce, status=200)


@tickets.get("/{ticket_id}/clocks/{clock}/explanation", responses=problems(404, 409))
def explain_clock(ticket_id: RowId, clock: ClockName, identity: Reader, session: DbSession) -> ExplanationOut:
    """Why the deadline is what it is: every stretch since creation, whether it counted, and the reason."""
    found = service.explain(session, actor=identity.actor, ticket_id=ticket_id, clock=clock)
    return ExplanationOut(
        clock=clock_out(found.reading),
        counted_seconds=found.counted.total_seconds(),
        stretches=[
            StretchOut(
                start=each.start,
                end=each.end,
                counted=each.counted,
                seconds=each.length.total_seconds(),
                reason_zh=each.reason_zh,
                reason_en=each.reason_en,
            )
            for each in found.stretches
        ],
    )


_PARTS = (
    tickets,
    *work_routes.ROUTERS,
    *bulk_routes.ROUTERS,
    process_routes.router,
    monitor_routes.router,
    tmf621_routes.router,
)
for _part in _PARTS:
    router.include_router(_part)
