"""Drafts: what somebody typed and has not sent, kept on the server (a shared desk's browser keeps nothing personal)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.time import utc_now
from crm_api.capture.forms import Sent
from crm_api.capture.models import Draft
from crm_api.dialect import insert_if_absent
from crm_api.errors import InvalidError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, requires

router = APIRouter(include_in_schema=False)
Self = Annotated[Identity, requires(Permission.SELF)]

KEPT = timedelta(days=7)
_MOST_FIELDS, _LONGEST = 40, 20_000
#: Never part of a draft.
_LEFT_OUT = frozenset({"place", "key", "old_password", "new_password", "password"})


def load(session: Session, user_id: int, place: str) -> dict[str, str]:
    """What was typed into that form; empty if nothing, or nothing lately."""
    found = session.scalars(select(Draft).where(Draft.user_id == user_id, Draft.place == place)).first()
    if found is None or utc_now() - found.saved_at > KEPT:
        return {}
    return dict(found.fields)


def places(session: Session, user_id: int) -> Sequence[Draft]:
    """One's drafts, newest first."""
    since = utc_now() - KEPT
    mine = select(Draft).where(Draft.user_id == user_id, Draft.saved_at >= since)
    rows = session.scalars(mine.order_by(Draft.saved_at.desc()).limit(20))
    return [row for row in rows if (row.fields.get("text") or row.fields.get("body") or "").strip()]


def save(session: Session, user_id: int, place: str, fields: Mapping[str, Any]) -> None:
    """Keep what was typed; nothing typed forgets the draft.

    Raises:
        InvalidError: the place or a field is too long.
    """
    typed = {name: value for name, value in fields.items() if name not in _LEFT_OUT and isinstance(value, str)}
    if not 0 < len(place) <= 60 or len(typed) > _MOST_FIELDS or any(len(value) > _LONGEST for value in typed.values()):
        raise InvalidError("The draft is too large.", "Shorten the text.")
    if not any(value.strip() for value in typed.values()):
        forget(session, user_id, place)
        return
    now = utc_now()
    insert_if_absent(session, Draft, {"user_id": user_id, "place": place, "fields": typed, "saved_at": now})
    row = session.scalars(select(Draft).where(Draft.user_id == user_id, Draft.place == place)).one()
    row.fields, row.saved_at = typed, now
    session.flush()


def forget(session: Session, user_id: int, place: str) -> None:
    """The form was sent, or its draft thrown away."""
    session.execute(delete(Draft).where(Draft.user_id == user_id, Draft.place == place))


@router.post("/app/drafts", status_code=204)
def save_draft(identity: Self, session: DbSession, sent: Sent) -> Response:
    """Save a form as it is typed; `place` names the form, an empty one is forgotten."""
    save(session, identity.user_id, sent.text("place", longest=60) or "capture", sent.texts())
    return Response(status_code=204)
