"""Listening to recordings: by those who may, within their units, each listening in the audit log."""

import re
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.time import utc_now
from crm_api.audit.models import AuditEntry
from crm_api.audit.service import Origin, record
from crm_api.contacts.service import get_contact
from crm_api.errors import NotFoundError
from crm_api.identity.permissions import Permission
from crm_api.identity.schemas import Instant
from crm_api.identity.sessions import Identity
from crm_api.routing import recordings
from crm_api.routing.models import Recording
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.schemas import Out

router = APIRouter(prefix="/api/v1", tags=["telephony"])
Listener = Annotated[Identity, requires(Permission.RECORDING_LISTEN)]

#: A player asks for a file in pieces: within so long they are one listening.
_ONE_LISTENING = timedelta(minutes=10)
_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")


class RecordingOut(Out):
    """A recording that can be heard."""

    id: int
    contact_id: int
    seconds: float
    bytes: int
    recorded_at: Instant
    kept_until: Instant | None = Field(description="By the retention rule; NULL: until a person decides")


@router.get("/contacts/{contact_id}/recordings", responses=problems(404))
def of_contact(contact_id: RowId, identity: Listener, session: DbSession) -> list[RecordingOut]:
    """What was recorded of a contact and is still kept."""
    contact = get_contact(session, contact_id, identity.actor)
    return [RecordingOut.model_validate(row) for row in recordings.of_contact(session, contact.id)]


@router.get(
    "/recordings/{recording_id}",
    response_class=Response,
    responses=problems(404)
    | {
        200: {"description": "The whole sound", "content": {"audio/wav": {}}},
        206: {"description": "The part asked for", "content": {"audio/wav": {}}},
        416: {"description": "No such part"},
    },
)
def listen(
    recording_id: RowId,
    identity: Listener,
    session: DbSession,
    origin: From,
    range_: Annotated[str, Header(alias="Range", max_length=100)] = "",
) -> Response:
    """The sound, or the part of it that a player asks for; in the audit log before it is sent."""
    row = session.get(Recording, recording_id)
    if row is None or row.deleted_at is not None:
        raise NotFoundError(f"There is no recording {recording_id}.")
    get_contact(session, row.contact_id, identity.actor)
    content = recordings.sound(row)
    _record_once(session, identity, row, origin)
    return part_of(content, range_)


def _record_once(session: Session, identity: Identity, row: Recording, origin: Origin) -> None:
    said = session.scalar(
        select(AuditEntry.id)
        .where(
            AuditEntry.action == "recording.heard",
            AuditEntry.object_type == "recording",
            AuditEntry.object_id == str(row.id),
            AuditEntry.username == identity.actor.username,
            AuditEntry.occurred_at > utc_now() - _ONE_LISTENING,
        )
        .limit(1)
    )
    if said is None:
        subject = ("recording", row.id)
        record(
            session, "recording.heard", actor=identity.actor, subject=subject, origin=origin, contact_id=row.contact_id
        )


def part_of(content: bytes, wanted: str) -> Response:
    """The answer to a Range header of one range (RFC 9110, 14.2); another form of it is answered with the whole."""
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store"}
    found = _RANGE.match(wanted.strip())
    size = len(content)
    if found is None or found.groups() == ("", ""):
        return Response(content, media_type="audio/wav", headers=headers)
    first, last = found.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if start >= size or end < start:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    return Response(content[start : end + 1], 206, media_type="audio/wav", headers=headers)
