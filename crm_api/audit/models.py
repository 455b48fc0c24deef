"""The audit log: who did or saw what, when, from where; the database refuses to change or delete a row."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base


class AuditEntry(Base):
    """One audited act. It names people by username, so that it outlives them."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_object", "object_type", "object_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    action: Mapped[str] = mapped_column(String(60), index=True, doc="e.g. session.opened, customer.revealed")
    username: Mapped[str | None] = mapped_column(String(60), index=True)
    role: Mapped[str | None] = mapped_column(String(16))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"))
    object_type: Mapped[str | None] = mapped_column(String(40))
    object_id: Mapped[str | None] = mapped_column(String(60))
    reason: Mapped[str | None] = mapped_column(String(300))
    address: Mapped[str | None] = mapped_column(String(60), doc="Where the request came from")
    request_id: Mapped[str | None] = mapped_column(String(60))
    details: Mapped[str | None] = mapped_column(Text, doc="JSON; never personal data in clear")
