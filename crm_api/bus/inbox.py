"""What people are told: the notifications of an account, and of its role in its unit."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.bus.models import Notification
from crm_api.errors import NotFoundError


def _mine(actor: Actor) -> ColumnElement[bool]:
    unit = Notification.unit_id.is_(None) if actor.is_province else Notification.unit_id == actor.unit_id
    role = and_(Notification.username.is_(None), Notification.role == actor.role, unit)
    return or_(Notification.username == actor.username, role)


def inbox(session: Session, *, actor: Actor, unread_only: bool = False, limit: int = 50) -> list[Notification]:
    """The newest notifications for `actor`."""
    statement = select(Notification).where(_mine(actor)).order_by(Notification.id.desc()).limit(limit)
    if unread_only:
        statement = statement.where(Notification.read_at.is_(None))
    return list(session.scalars(statement))


def mark_read(session: Session, *, actor: Actor, notification_id: int, now: datetime | None = None) -> Notification:
    """Mark one read; for a role, by whoever saw it first.

    Raises:
        NotFoundError: there is none for `actor`.
    """
    statement = select(Notification).where(Notification.id == notification_id, _mine(actor))
    found = session.scalars(statement).first()
    if found is None:
        raise NotFoundError(f"There is no notification {notification_id}.")
    if found.read_at is None:
        found.read_at, found.read_by = now or utc_now(), actor.username
        session.flush()
    return found
