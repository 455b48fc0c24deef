"""Files of tickets and contacts over HTTP: sent, listed, fetched, removed."""

from typing import Annotated

from fastapi import APIRouter, File, Response, UploadFile
from fastapi.responses import FileResponse
from sqlalchemy.orm import Session

from crm_api.attachments import service
from crm_api.attachments.policy import KINDS
from crm_api.attachments.schemas import AttachmentOut
from crm_api.audit.service import Origin
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.settings import get_web_settings

router = APIRouter(prefix="/api/v1", tags=["attachments"])
TicketReader = Annotated[Identity, requires(Permission.TICKET_READ)]
TicketWorker = Annotated[Identity, requires(Permission.TICKET_WORK)]
ContactReader = Annotated[Identity, requires(Permission.CONTACT_READ)]
ContactWriter = Annotated[Identity, requires(Permission.CONTACT_CREATE)]
Sent = Annotated[UploadFile, File(description="One file; its name's ending says what it is")]

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_KINDS = dict.fromkeys(sorted({kind.media_type for kind in KINDS.values()}), _BINARY)
#: Whatever it holds, a browser only saves it.
_SAFE = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}


@router.post(
    "/tickets/{ticket_id}/attachments", status_code=201, response_model=AttachmentOut, responses=problems(404, 409)
)
def attach_to_ticket(
    ticket_id: RowId, file: Sent, identity: TicketWorker, session: DbSession, origin: From, once: Idempotent
) -> Response:
    """Attach a file to a ticket. The same content twice is one attachment, so the call may be repeated."""
    return once.run(lambda: _add(session, identity, "ticket", ticket_id, file, origin))


@router.get("/tickets/{ticket_id}/attachments", responses=problems(404))
def list_of_ticket(ticket_id: RowId, identity: TicketReader, session: DbSession) -> list[AttachmentOut]:
    """The files of a ticket, oldest first."""
    return _listed(session, identity, "ticket", ticket_id)


@router.post(
    "/contacts/{contact_id}/attachments", status_code=201, response_model=AttachmentOut, responses=problems(404, 409)
)
def attach_to_contact(
    contact_id: RowId, file: Sent, identity: ContactWriter, session: DbSession, origin: From, once: Idempotent
) -> Response:
    """Attach a file (a scanned letter, a fax) to a contact."""
    return once.run(lambda: _add(session, identity, "contact", contact_id, file, origin))


@router.get("/contacts/{contact_id}/attachments", responses=problems(404))
def list_of_contact(contact_id: RowId, identity: ContactReader, session: DbSession) -> list[AttachmentOut]:
    """The files of a contact, oldest first."""
    return _listed(session, identity, "contact", contact_id)


@router.get(
    "/attachments/{attachment_id}",
    response_class=FileResponse,
    responses=problems(404) | {200: {"content": _KINDS, "description": "The file"}},
)
def download(attachment_id: RowId, identity: TicketReader, session: DbSession, origin: From) -> FileResponse:
    """The file itself, always to be saved, never shown in place."""
    row, path = service.fetch(session, actor=identity.actor, attachment_id=attachment_id, origin=origin)
    return FileResponse(path, media_type=row.media_type, filename=row.name, headers=_SAFE)


@router.delete("/attachments/{attachment_id}", status_code=204, responses=problems(404))
def remove(attachment_id: RowId, identity: TicketWorker, session: DbSession, origin: From) -> None:
    """Take a file away; who attached it may, and the province."""
    service.remove(session, actor=identity.actor, attachment_id=attachment_id, origin=origin)


def _add(
    session: Session, identity: Identity, owner: service.Owner, owner_id: int, file: UploadFile, origin: Origin
) -> AttachmentOut:
    # One byte more than allowed is enough to know that it is too large.
    content = file.file.read(get_web_settings().max_attachment_bytes + 1)
    made = service.add(
        session,
        actor=identity.actor,
        owner=owner,
        owner_id=owner_id,
        name=file.filename or "",
        content=content,
        declared=file.content_type,
        origin=origin,
    )
    return AttachmentOut.model_validate(made)


def _listed(session: Session, identity: Identity, owner: service.Owner, owner_id: int) -> list[AttachmentOut]:
    found = service.attachments(session, actor=identity.actor, owner=owner, owner_id=owner_id)
    return [AttachmentOut.model_validate(row) for row in found]
