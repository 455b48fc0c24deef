"""What hangs on a ticket: children, the outage above it, links, files; and what an outage's end proposes."""

from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_api.attachments import service as files
from crm_api.capture.forms import Fields, Sent
from crm_api.capture.pages import render
from crm_api.capture.ticket_view import context
from crm_api.capture.work import review_page
from crm_api.errors import InvalidError, NotAllowedError, NotFoundError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.tickets import bulk, continuing, proposals, relations, service
from crm_api.tickets.access import find, visible
from crm_api.tickets.models import Ticket
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.settings import get_web_settings

router = APIRouter(include_in_schema=False)
Worker = Annotated[Identity, requires(Permission.TICKET_WORK)]
Opener = Annotated[Identity, requires(Permission.TICKET_CREATE)]
#: What a ticket that is opened from another takes over from it.
_TAKEN_OVER = ("channel_code", "service_type_code", "complaint_type_code", "product_code", "unit_id", "priority")
Mover = Annotated[Identity, requires(Permission.TICKET_BULK)]


@router.post("/app/tickets/{ticket_id}/children")
def open_child(ticket_id: RowId, identity: Opener, session: DbSession, request: Request, sent: Sent) -> Response:
    """Open a ticket for a part of the work, below this one."""
    child = _like(session, identity, ticket_id, sent, "standard")
    relations.attach(session, actor=identity.actor, ticket_id=child.id, parent_id=ticket_id)
    return _again(request, session, identity, ticket_id)


@router.post("/app/tickets/{ticket_id}/outage")
def open_outage(ticket_id: RowId, identity: Opener, session: DbSession, request: Request, sent: Sent) -> Response:
    """Open an outage and put this ticket below it; once it closes, its children are proposed for review together."""
    outage = _like(session, identity, ticket_id, sent, "outage")
    relations.attach(session, actor=identity.actor, ticket_id=ticket_id, parent_id=outage.id)
    return _again(request, session, identity, ticket_id)


@router.post("/app/tickets/{ticket_id}/continue")
def go_on(ticket_id: RowId, identity: Opener, session: DbSession, request: Request, sent: Sent) -> Response:
    """Open a ticket that goes on from an ended one or from imported history, and show it."""
    key = sent.text("key", longest=70)
    made = continuing.continue_ticket(
        session,
        actor=identity.actor,
        ticket_id=ticket_id,
        title=sent.text("title", longest=300),
        description=sent.text("description"),
        idempotency_key=f"continue-{key}" if key else None,
    )
    answer = _again(request, session, identity, made.id)
    answer.headers["HX-Push-Url"] = f"/app/tickets/{made.id}"
    return answer


def _like(session: Session, identity: Identity, ticket_id: int, sent: Fields, kind: str) -> Ticket:
    """A new ticket about the same as one that is there, with its own title; once a key."""
    model = find(session, actor=identity.actor, ticket_id=ticket_id)
    title, key = sent.text("title", longest=300), sent.text("key", longest=70)
    if not title:
        raise InvalidError("title is missing.", "Say what the new ticket is about.")
    values = {name: getattr(model, name) for name in _TAKEN_OVER if getattr(model, name) is not None}
    return service.create(
        session,
        actor=identity.actor,
        values=values | {"title": title, "kind": kind},
        idempotency_key=f"{kind}-{key}" if key else None,
    )


def _by_code(session: Session, identity: Identity, code: str) -> int:
    """The ticket of that number, in capitals or not; NotFoundError if the reader sees none."""
    spelt = select(Ticket.id).where(Ticket.code.in_((code, code.upper())), visible(identity.actor))
    found = session.scalar(spelt.limit(1))
    if found is None:
        raise NotFoundError(f"There is no ticket {code!r}.", "Look its number up in the list.")
    return found


@router.post("/app/tickets/{ticket_id}/parent")
def attach_to(ticket_id: RowId, identity: Worker, session: DbSession, request: Request, sent: Sent) -> Response:
    """Put the ticket below another (an outage) by its number; a blank takes it out."""
    find(session, actor=identity.actor, ticket_id=ticket_id)
    code = sent.text("code", longest=40)
    parent = _by_code(session, identity, code) if code else None
    relations.attach(session, actor=identity.actor, ticket_id=ticket_id, parent_id=parent)
    return _again(request, session, identity, ticket_id)


@router.post("/app/tickets/{ticket_id}/links")
def link_to(ticket_id: RowId, identity: Worker, session: DbSession, request: Request, sent: Sent) -> Response:
    """Point to another ticket by its number."""
    find(session, actor=identity.actor, ticket_id=ticket_id)
    code, kind = sent.text("code", longest=40), sent.text("kind", longest=12) or "related"
    if not code:
        raise InvalidError("code is missing.", "Give the other ticket's number.")
    other = _by_code(session, identity, code)
    relations.link(session, actor=identity.actor, ticket_id=ticket_id, other_id=other, kind=kind)
    return _again(request, session, identity, ticket_id)


@router.post("/app/tickets/{ticket_id}/attachments")
def attach_file(
    ticket_id: RowId,
    identity: Worker,
    session: DbSession,
    request: Request,
    origin: From,
    file: Annotated[UploadFile, File()],
) -> Response:
    """Attach a file; size, kind and content are checked by the service."""
    # One byte more than allowed is enough to know that it is too large.
    content = file.file.read(get_web_settings().max_attachment_bytes + 1)
    files.add(
        session,
        actor=identity.actor,
        owner="ticket",
        owner_id=ticket_id,
        name=file.filename or "",
        content=content,
        declared=file.content_type,
        origin=origin,
    )
    return _again(request, session, identity, ticket_id)


@router.post("/app/tickets/{ticket_id}/attachments/{attachment_id}/remove")
def remove_file(
    ticket_id: RowId, attachment_id: RowId, identity: Worker, session: DbSession, request: Request, origin: From
) -> Response:
    """Take a file away; who attached it may, and the province."""
    find(session, actor=identity.actor, ticket_id=ticket_id)
    files.remove(session, actor=identity.actor, attachment_id=attachment_id, origin=origin)
    return _again(request, session, identity, ticket_id)


@router.post("/app/proposals/{bulk_id}/accept")
def accept(bulk_id: RowId, identity: Mover, session: DbSession, request: Request) -> Response:
    """Do what was proposed; a ticket that refuses says why and holds nobody back."""
    if not identity.actor.is_province:
        raise NotAllowedError(f"{identity.actor.role} carries out no proposals.", "The province does.")
    _, outlooks = bulk.carry_out(session, actor=identity.actor, bulk_id=bulk_id)
    return review_page(request, session, identity, outlooks=outlooks)


@router.post("/app/proposals/{bulk_id}/decline")
def decline(bulk_id: RowId, identity: Mover, session: DbSession, request: Request) -> Response:
    """Throw a proposal away; its tickets stay as they are, each to be looked at alone."""
    proposals.decline(session, actor=identity.actor, bulk_id=bulk_id)
    return review_page(request, session, identity)


def _again(request: Request, session: Session, identity: Identity, ticket_id: int) -> Response:
    session.flush()
    return render(request, session, identity, "ticket.html", **context(session, identity, ticket_id))
