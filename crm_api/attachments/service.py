"""Attaching, listing, fetching and removing files of tickets and contacts."""

import hashlib
import os
from pathlib import Path
from typing import Literal
from uuid import uuid4

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.actor import PROVINCIAL_ROLES, Actor
from core.files import sync_folder
from core.settings import get_settings
from core.time import utc_now
from crm_api.attachments.models import Attachment
from crm_api.attachments.policy import MOST_FILES, check_content, clean_name
from crm_api.audit.service import Origin, record
from crm_api.contacts.service import get_contact
from crm_api.dialect import begin_writing, insert_if_absent
from crm_api.errors import ConflictError, NotAllowedError, NotFoundError
from crm_api.tickets.access import find
from crm_api.web.settings import get_web_settings

Owner = Literal["ticket", "contact"]


def folder() -> Path:
    """Where the bytes lie: <CRM_HOME>/attachments/<first two of the hash>/<hash>."""
    return get_settings().home / "attachments"


def path_of(sha256: str) -> Path:
    """The file that holds the content of that hash."""
    return folder() / sha256[:2] / sha256


def add(
    session: Session,
    *,
    actor: Actor,
    owner: Owner,
    owner_id: int,
    name: str,
    content: bytes,
    declared: str | None = None,
    origin: Origin | None = None,
) -> Attachment:
    """Attach a file to a ticket or contact that one sees; the same content again is the attachment made before.

    Args:
        declared: the media type that the sender claims; never trusted, refused where it contradicts the content.

    Raises:
        NotFoundError: the owner is out of the actor's sight.
        InvalidError: the file is empty, too large, of no allowed kind, or lies about its type.
        ConflictError: the owner holds as many files as it may.
    """
    _require_owner(session, actor, owner, owner_id)
    shown = clean_name(name)
    media_type = check_content(shown, content, declared=declared, largest=get_web_settings().max_attachment_bytes)
    sha256 = hashlib.sha256(content).hexdigest()
    begin_writing(session)
    live = select(Attachment).where(_belongs(owner, owner_id), Attachment.deleted_at.is_(None))
    same = live.where(Attachment.sha256 == sha256)
    known = session.scalars(same).first()
    if known is not None:
        return known
    if (session.scalar(select(func.count()).select_from(live.subquery())) or 0) >= MOST_FILES:
        raise ConflictError(f"{owner} {owner_id} holds {MOST_FILES} files already.", "Remove one first.")
    _keep(sha256, content)
    values = {
        f"{owner}_id": owner_id,
        "sha256": sha256,
        "name": shown,
        "media_type": media_type,
        "size_bytes": len(content),
        "uploaded_by": actor.username,
        "unit_id": actor.unit_id,
        "created_at": utc_now(),
    }
    is_new = insert_if_absent(session, Attachment, values)
    made = session.scalars(same).one()
    if is_new:
        _tell(session, "attachment.added", made, actor, origin)
    return made


def attachments(session: Session, *, actor: Actor, owner: Owner, owner_id: int) -> list[Attachment]:
    """The files of a ticket or contact, oldest first; NotFoundError if the actor does not see it."""
    _require_owner(session, actor, owner, owner_id)
    live = select(Attachment).where(_belongs(owner, owner_id), Attachment.deleted_at.is_(None))
    return list(session.scalars(live.order_by(Attachment.id)))


def fetch(
    session: Session, *, actor: Actor, attachment_id: int, origin: Origin | None = None
) -> tuple[Attachment, Path]:
    """An attachment and the file of its bytes; the look is written to the audit log.

    Raises:
        NotFoundError: it is out of the actor's sight, removed, or its bytes are missing.
    """
    found = _get(session, actor, attachment_id)
    path = path_of(found.sha256)
    if not path.is_file():
        raise NotFoundError(f"The content of {found.name} is missing.", "Restore CRM_HOME/attachments from a backup.")
    _tell(session, "attachment.read", found, actor, origin)
    return found, path


def remove(session: Session, *, actor: Actor, attachment_id: int, origin: Origin | None = None) -> None:
    """Take a file off its ticket or contact; who uploaded it may, and a provincial role. The bytes stay for the record.

    Raises:
        NotFoundError: it is out of the actor's sight, or removed already.
        NotAllowedError: somebody else's file.
    """
    begin_writing(session)
    found = _get(session, actor, attachment_id)
    if found.uploaded_by != actor.username and not (actor.is_province and actor.role in PROVINCIAL_ROLES):
        raise NotAllowedError(f"{found.name} was attached by {found.uploaded_by}.", "Ask them, or the province.")
    found.deleted_at, found.deleted_by = utc_now(), actor.username
    session.flush()
    _tell(session, "attachment.removed", found, actor, origin)


def _belongs(owner: Owner, owner_id: int) -> ColumnElement[bool]:
    return (Attachment.ticket_id if owner == "ticket" else Attachment.contact_id) == owner_id


def _require_owner(session: Session, actor: Actor, owner: Owner, owner_id: int) -> None:
    if owner == "ticket":
        find(session, actor=actor, ticket_id=owner_id)
    else:
        get_contact(session, owner_id, actor)


def _get(session: Session, actor: Actor, attachment_id: int) -> Attachment:
    missing = NotFoundError(f"There is no attachment {attachment_id}.")
    found = session.scalars(
        select(Attachment).where(Attachment.id == attachment_id, Attachment.deleted_at.is_(None))
    ).one_or_none()
    if found is None:
        raise missing
    try:
        if found.ticket_id is not None:
            _require_owner(session, actor, "ticket", found.ticket_id)
        elif found.contact_id is not None:
            _require_owner(session, actor, "contact", found.contact_id)
    except NotFoundError as error:
        raise missing from error
    return found


def _keep(sha256: str, content: bytes) -> None:
    """Write the bytes before the row is committed: a row never points to nothing, a file without a row harms nobody."""
    path = path_of(sha256)
    if path.is_file() and path.stat().st_size == len(content):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two uploads of one content at once each write their own.
    temporary = path.with_name(f".{sha256}.{uuid4().hex}")
    with temporary.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def _tell(session: Session, action: str, row: Attachment, actor: Actor, origin: Origin | None) -> None:
    subject = ("ticket", row.ticket_id) if row.ticket_id is not None else ("contact", row.contact_id)
    record(
        session,
        action,
        actor=actor,
        subject=subject,
        origin=origin,
        attachment=row.id,
        sha256=row.sha256,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
    )
