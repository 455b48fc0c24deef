"""What was suggested and what was chosen, and topics to be named: the model's next lesson. No text is kept here."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base, one_of

TOPIC_STATES = ("open", "named", "dismissed", "superseded")


class ComplaintSuggestion(Base):
    """One choice of a complaint type beside what was suggested for the text."""

    __tablename__ = "complaint_suggestions"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    text_sha256: Mapped[str] = mapped_column(String(64))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    suggested: Mapped[list[dict[str, Any]]] = mapped_column(JSON, doc="code and confidence, best first")
    chosen_code: Mapped[str] = mapped_column(ForeignKey("complaint_types.code"))
    chosen_by: Mapped[str] = mapped_column(String(60))
    chosen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EmergingTopic(Base):
    """Recent complaints that share new words and fit no type, for a person to name; ids of tickets, no text."""

    __tablename__ = "emerging_topics"
    __table_args__ = (one_of("state", TOPIC_STATES), Index("ix_emerging_topics_state", "state"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    terms: Mapped[list[str]] = mapped_column(JSON, doc="Words that they share, most telling first")
    tickets: Mapped[list[int]] = mapped_column(JSON, doc="Ids, oldest first")
    first_seen: Mapped[date] = mapped_column(Date)
    last_seen: Mapped[date] = mapped_column(Date)
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(12), server_default="open")
    complaint_type_code: Mapped[str | None] = mapped_column(ForeignKey("complaint_types.code"))
    decided_by: Mapped[str | None] = mapped_column(String(60))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str | None] = mapped_column(String(300))
