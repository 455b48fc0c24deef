"""What the frontend keeps between requests: drafts, who is at which ticket, promised callbacks."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base, one_of

CALLBACK_OUTCOMES = ("reached", "no_answer", "cancelled")


class Draft(Base):
    """What somebody typed into a form and has not sent yet; one a form and person."""

    __tablename__ = "capture_drafts"
    __table_args__ = (UniqueConstraint("user_id", "place"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    place: Mapped[str] = mapped_column(String(60), doc="The form: capture, ticket:7:comment …")
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TicketPresence(Base):
    """Who has a ticket open, and whether they are typing; stale after a minute."""

    __tablename__ = "ticket_presences"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False)
    is_editing: Mapped[bool] = mapped_column(server_default="0")
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Callback(Base):
    """A call that was promised to a customer: when, about what, and what came of it."""

    __tablename__ = "callbacks"
    __table_args__ = (one_of("outcome", CALLBACK_OUTCOMES), Index("ix_callbacks_username_due_at", "username", "due_at"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    number: Mapped[str | None] = mapped_column(String(40), doc="Where to call; personal, shown masked")
    username: Mapped[str] = mapped_column(String(60), doc="Who calls")
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    note: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(12))
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
