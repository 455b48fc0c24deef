"""Reminding people of the calls they promised, once each, shortly before they are due."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.time import to_local, utc_now
from crm_api.bus.models import Notification
from crm_api.bus.service import publish
from crm_api.capture.models import Callback
from crm_api.dialect import begin_writing

#: How long before a promised call its reminder comes.
AHEAD = timedelta(minutes=5)
_BATCH = 100


def remind(session: Session, *, now: datetime | None = None) -> int:
    """Write a line into the inbox of whoever promised a call that is due soon; how many."""
    at = now or utc_now()
    due = select(Callback).where(
        Callback.due_at <= at + AHEAD, Callback.done_at.is_(None), Callback.reminded_at.is_(None)
    )
    if session.scalar(due.with_only_columns(Callback.id).limit(1)) is None:
        return 0
    begin_writing(session)
    found = session.scalars(due.order_by(Callback.due_at).limit(_BATCH).with_for_update(skip_locked=True)).all()
    for callback in found:
        callback.reminded_at = at
        session.add(_line(callback, at))
        publish(session, topic="callback", payload={"username": callback.username, "callback_id": callback.id}, now=at)
    session.flush()
    return len(found)


def _line(callback: Callback, now: datetime) -> Notification:
    when, note = to_local(callback.due_at), (callback.note or "")[:200]
    return Notification(
        username=callback.username,
        ticket_id=callback.ticket_id,
        kind="callback",
        text_zh=f"{when:%m-%d %H:%M} 应回呼客户 {note}".strip(),
        text_en=f"Promised callback at {when:%m-%d %H:%M} {note}".strip(),
        created_at=now,
    )
