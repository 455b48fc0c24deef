"""Service-level policies, the escalation ladder and what it sent."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.actor import BRANCH_ROLES, PROVINCIAL_ROLES
from core.database import Key, UtcDateTime
from crm_api.base import Base, Captured, one_of
from crm_api.tickets.models import PRIORITIES

CLOCKS = ("first_response", "resolution")
STEP_RECIPIENTS = ("handler", "manager", *sorted(BRANCH_ROLES | PROVINCIAL_ROLES))
CHANGE_KINDS = ("calendar", "policies")


class SlaPolicy(Captured, Base):
    """Targets of the tickets that match; the lowest sort order that matches applies, a blank condition matches all."""

    __tablename__ = "sla_policies"
    __table_args__ = (
        UniqueConstraint("sort_order"),
        one_of("priority", PRIORITIES),
        CheckConstraint("first_response_seconds > 0", name="first_response_positive"),
        CheckConstraint("resolution_seconds > 0", name="resolution_positive"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    sort_order: Mapped[int]
    is_active: Mapped[bool] = mapped_column(server_default="1")
    service_type_code: Mapped[str | None] = mapped_column(ForeignKey("service_types.code"), doc="Or one below it")
    complaint_type_code: Mapped[str | None] = mapped_column(ForeignKey("complaint_types.code"), doc="Or one below it")
    product_code: Mapped[str | None] = mapped_column(ForeignKey("products.code"))
    channel_code: Mapped[str | None] = mapped_column(ForeignKey("channels.code"))
    priority: Mapped[str | None] = mapped_column(String(8))
    is_key_customer: Mapped[bool | None]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"))
    calendar_code: Mapped[str] = mapped_column(ForeignKey("calendars.code"))
    first_response_seconds: Mapped[int | None] = mapped_column(doc="Business seconds; NULL: no such clock")
    resolution_seconds: Mapped[int | None]


class EscalationStep(Base):
    """At which part of a target who is told."""

    __tablename__ = "escalation_steps"
    __table_args__ = (
        UniqueConstraint("percent", "recipient"),
        one_of("recipient", STEP_RECIPIENTS),
        CheckConstraint("percent > 0", name="percent_positive"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    percent: Mapped[int]
    recipient: Mapped[str] = mapped_column(String(16), doc="A role; handler: who works it")


class Escalation(Captured, Base):
    """A step of the ladder that fired: once for each ticket, clock and step."""

    __tablename__ = "escalations"
    __table_args__ = (UniqueConstraint("ticket_id", "clock", "percent"), one_of("clock", CLOCKS))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    clock: Mapped[str] = mapped_column(String(16))
    percent: Mapped[int]
    reached_at: Mapped[datetime] = mapped_column(UtcDateTime, doc="When that part of the target was used up")
    fired_at: Mapped[datetime] = mapped_column(UtcDateTime)
    target_seconds: Mapped[int]


class SlaChange(Base):
    """A calendar or the policies changed: open tickets are recomputed, batch by batch, from the one last done."""

    __tablename__ = "sla_changes"
    __table_args__ = (one_of("kind", CHANGE_KINDS),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    code: Mapped[str | None] = mapped_column(String(60), doc="The calendar")
    changed_by: Mapped[str] = mapped_column(String(60))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_ticket_id: Mapped[int] = mapped_column(Key, server_default="0")
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
