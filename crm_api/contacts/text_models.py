"""What was said or written in a contact, kept beside it: free text does not go to the lake."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base


class ContactText(Base):
    """A message as it came in, or an agent's note about the conversation."""

    __tablename__ = "contact_texts"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"), index=True)
    subject: Mapped[str | None] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    author: Mapped[str | None] = mapped_column(String(60), doc="Who noted it; NULL: the customer wrote it")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
