"""What was suggested and what was chosen: the model's next lesson. Of the text only its digest is kept here."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base


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
