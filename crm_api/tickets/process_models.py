"""The closed loop as data: processes and their versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base, Captured, one_of

PROCESS_STATUSES = ("draft", "active", "retired")


class Process(Base):
    """A way of working tickets; the first whose service types match (none named: any) takes a new ticket."""

    __tablename__ = "processes"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    service_type_codes: Mapped[list[str]] = mapped_column(JSON, doc="Empty: every service type")
    sort_order: Mapped[int] = mapped_column(server_default="0")


class ProcessVersion(Captured, Base):
    """One state of a process's definition; a ticket stays with the version it began under."""

    __tablename__ = "process_versions"
    __table_args__ = (
        UniqueConstraint("process_code", "number"),
        one_of("status", PROCESS_STATUSES),
        Index(
            "uq_process_versions_one_active",
            "process_code",
            unique=True,
            sqlite_where=text("status = 'active'"),
            postgresql_where=text("status = 'active'"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    process_code: Mapped[str] = mapped_column(ForeignKey("processes.code"))
    number: Mapped[int] = mapped_column(doc="1, 2, … within the process")
    status: Mapped[str] = mapped_column(String(8))
    definition: Mapped[dict[str, Any]] = mapped_column(JSON, doc="States and transitions: process.Definition")
    created_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str | None] = mapped_column(String(300))
