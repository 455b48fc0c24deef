"""What was attached to what; the bytes lie in the folder of attachments under their hash."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base


def _live(column: str) -> Index:
    condition = text(f"deleted_at IS NULL AND {column} IS NOT NULL")
    return Index(
        f"uq_attachments_{column}_sha256",
        column,
        "sha256",
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )


class Attachment(Base):
    """One file of one ticket or one contact; the same content hangs there once. Deleting writes a tombstone."""

    __tablename__ = "attachments"
    __table_args__ = (
        CheckConstraint("(ticket_id IS NULL) <> (contact_id IS NULL)", name="one_owner"),
        CheckConstraint("size_bytes > 0", name="not_empty"),
        _live("ticket_id"),
        _live("contact_id"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"), index=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100), doc="What the content is, never what its sender said")
    size_bytes: Mapped[int]
    uploaded_by: Mapped[str] = mapped_column(String(60))
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"), doc="Where whoever uploaded it works")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_by: Mapped[str | None] = mapped_column(String(60))
