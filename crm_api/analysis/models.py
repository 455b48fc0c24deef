"""Annotations of days, and each person's saved views."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Key, UtcDateTime
from crm_api.base import Base
from crm_api.organisation.models import OrgUnit


class Annotation(Base):
    """What happened on a day, or on days, as an analyst wrote it beside the figures; those of the province all see."""

    __tablename__ = "annotations"
    __table_args__ = (
        CheckConstraint("last_day >= first_day", name="days_in_order"),
        Index("ix_annotations_days", "first_day", "last_day"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    text: Mapped[str] = mapped_column(String(200))
    created_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="Since when it is no longer shown")
    unit: Mapped[OrgUnit] = relationship(lazy="joined", innerjoin=True)


class SavedView(Base):
    """A page with its filters under a name; each person has their own."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("user_id", "name", name="uq_saved_views_name"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    page: Mapped[str] = mapped_column(String(40))
    params: Mapped[dict[str, Any]] = mapped_column(JSON, doc="The address's parameters")
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
