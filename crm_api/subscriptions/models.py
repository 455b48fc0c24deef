"""Subscriptions to reports, and one delivery a report, recipient and period."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Key, UtcDateTime
from crm_api.base import Base, one_of
from crm_api.organisation.models import OrgUnit

KINDS = ("daily", "weekly", "monthly")
#: Taken by a sender; given to the mail server (whether it took it is not yet known); taken by it; refused for good.
STATES = ("claimed", "handed", "sent", "failed")


class ReportSubscription(Base):
    """A report that an address gets: which, of which unit, in which language and forms."""

    __tablename__ = "report_subscriptions"
    __table_args__ = (one_of("kind", KINDS),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"), index=True)
    email: Mapped[str] = mapped_column(String(254), doc="Lower case")
    language: Mapped[str] = mapped_column(String(8))
    forms: Mapped[str] = mapped_column(String(20), doc="Attached forms, separated by blanks: pdf xlsx")
    created_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unit: Mapped[OrgUnit] = relationship(lazy="joined", innerjoin=True)


class ReportDelivery(Base):
    """One report of one period for one address; it is sent once."""

    __tablename__ = "report_deliveries"
    __table_args__ = (
        one_of("state", STATES),
        UniqueConstraint("kind", "period", "unit_id", "language", "email", name="uq_report_deliveries_once"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("report_subscriptions.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    period: Mapped[str] = mapped_column(String(12))
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"))
    language: Mapped[str] = mapped_column(String(8))
    email: Mapped[str] = mapped_column(String(254))
    state: Mapped[str] = mapped_column(String(8), server_default="claimed")
    attempts: Mapped[int] = mapped_column(server_default="0")
    claimed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    run_id: Mapped[str | None] = mapped_column(String(40))
    error: Mapped[str | None] = mapped_column(String(300))
