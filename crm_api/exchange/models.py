"""Messages that came from or go to other systems, each known by its id at one of the ports."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base, one_of

PORTS = ("sms", "office", "foreign")
MESSAGE_STATES = ("waiting", "done", "refused")


class ExchangeMessage(Base):
    """One message at one port: taken in once, or handed out once, however often it is tried."""

    __tablename__ = "exchange_messages"
    __table_args__ = (
        UniqueConstraint("port", "direction", "external_id"),
        one_of("port", PORTS),
        one_of("direction", ("in", "out")),
        one_of("state", MESSAGE_STATES),
        Index("ix_exchange_messages_waiting", "state", "direction", "id"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    port: Mapped[str] = mapped_column(String(8))
    direction: Mapped[str] = mapped_column(String(3))
    external_id: Mapped[str] = mapped_column(String(120))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    body: Mapped[dict[str, Any]] = mapped_column(JSON, doc="Holds no personal data once it is done")
    state: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str | None] = mapped_column(String(300), doc="Why it was refused")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
