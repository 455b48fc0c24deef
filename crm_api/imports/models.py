"""What imports of foreign history took in and what they refused."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import PERSONAL, Base, Captured, one_of

IMPORT_KINDS = ("calls", "tickets")


class ImportReject(Captured, Base):
    """A row of a foreign file that was refused, once per (source, row key), with the reason and the row itself."""

    __tablename__ = "import_rejects"
    __table_args__ = (
        UniqueConstraint("source", "row_key"),
        one_of("kind", IMPORT_KINDS),
        Index("ix_import_rejects_started_at", "started_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    source: Mapped[str] = mapped_column(String(60), doc="Name of the mapping's source")
    kind: Mapped[str] = mapped_column(String(12))
    row_key: Mapped[str] = mapped_column(String(200), doc="The row's own key, or a digest of its content")
    reason: Mapped[str] = mapped_column(String(300))
    # What could be read of the row, so that refusals can be counted like what was taken.
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    channel_code: Mapped[str | None] = mapped_column(ForeignKey("channels.code"))
    service_type_code: Mapped[str | None] = mapped_column(ForeignKey("service_types.code"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"))
    line: Mapped[int] = mapped_column(doc="Line of the file, the header being line 1")
    raw: Mapped[str] = mapped_column(Text, info=PERSONAL, doc="The row as read, JSON")
