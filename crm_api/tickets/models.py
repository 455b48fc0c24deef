"""Tickets and their append-only events; complaint types in three levels."""

from datetime import datetime
from typing import get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.actor import Role
from core.database import Key, UtcDateTime
from crm_api.base import Base, Captured, one_of, ordered

TICKET_STATES = (
    "new",
    "dispatched",
    "accepted",
    "in_progress",
    "pending",
    "returned",
    "resolved",
    "in_review",
    "follow_up",
    "closed",
    "cancelled",
)
TICKET_KINDS = ("standard", "outage")
PRIORITIES = ("low", "normal", "high", "urgent")
EVENT_KINDS = (
    "created",
    "dispatched",
    "accepted",
    "started",
    "pended",
    "resumed",
    "returned",
    "resolved",
    "review_started",
    "rejected",
    "approved",
    "closed",
    "cancelled",
    "reopened",
    "updated",
    "responded",
    "sub_dispatched",
    "sub_returned",
)
#: Every role of core.actor; `foreign` is whoever did it in an imported system.
ACTOR_ROLES = (*get_args(Role), "foreign")
#: States in which the loop has ended; `cancelled` for good, `closed` until it is reopened.
ENDED_STATES = ("closed", "cancelled")


class ComplaintType(Captured, Base):
    """A node of the complaint tree: level 1, 2 or 3; the code is the dotted path."""

    __tablename__ = "complaint_types"
    __table_args__ = (
        CheckConstraint("level BETWEEN 1 AND 3", name="level_1_to_3"),
        CheckConstraint("(level = 1) = (parent_code IS NULL)", name="only_level_1_has_no_parent"),
    )

    code: Mapped[str] = mapped_column(String(80), primary_key=True)
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("complaint_types.code"))
    level: Mapped[int]
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    sort_order: Mapped[int] = mapped_column(server_default="0")


class Ticket(Captured, Base):
    """Work that outlives the contact (a work order); its state follows from its events."""

    __tablename__ = "tickets"
    __table_args__ = (
        one_of("kind", TICKET_KINDS),
        one_of("state", TICKET_STATES),
        one_of("priority", PRIORITIES),
        ordered("created_at", "first_response_at"),
        ordered("created_at", "resolved_at"),
        ordered("created_at", "closed_at"),
        # The loop binds what this system captures; foreign history may be closed without a known time.
        CheckConstraint(
            "source <> 'captured' OR (state = 'closed') = (closed_at IS NOT NULL)", name="closed_has_a_time"
        ),
        Index("ix_tickets_created_at", "created_at"),
        Index(
            "ix_tickets_open",
            "state",
            "unit_id",
            sqlite_where=text("state NOT IN ('closed', 'cancelled')"),
            postgresql_where=text("state NOT IN ('closed', 'cancelled')"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(12), server_default="standard")
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    channel_code: Mapped[str] = mapped_column(ForeignKey("channels.code"))
    service_type_code: Mapped[str] = mapped_column(ForeignKey("service_types.code"))
    complaint_type_code: Mapped[str | None] = mapped_column(ForeignKey("complaint_types.code"))
    product_code: Mapped[str | None] = mapped_column(ForeignKey("products.code"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"), index=True, doc="Branch that works it")
    township_id: Mapped[int | None] = mapped_column(ForeignKey("townships.id"))
    priority: Mapped[str] = mapped_column(String(8), server_default="normal")
    state: Mapped[str] = mapped_column(String(12))
    title: Mapped[str | None] = mapped_column(String(300))
    description: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_response_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_response_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolution_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_on_behalf: Mapped[bool] = mapped_column(server_default="0", doc="Filed by somebody for the customer")
    source: Mapped[str] = mapped_column(String(60), server_default="captured")


class TicketEvent(Captured, Base):
    """One step of a ticket: who, from which unit, when, why. Append-only."""

    __tablename__ = "ticket_events"
    __table_args__ = (
        UniqueConstraint("ticket_id", "event_number"),
        one_of("kind", EVENT_KINDS),
        one_of("from_state", TICKET_STATES),
        one_of("to_state", TICKET_STATES),
        one_of("actor_role", ACTOR_ROLES),
        Index("ix_ticket_events_kind_occurred_at", "kind", "occurred_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    event_number: Mapped[int] = mapped_column(doc="1, 2, … within the ticket")
    kind: Mapped[str] = mapped_column(String(16))
    from_state: Mapped[str | None] = mapped_column(String(12))
    to_state: Mapped[str] = mapped_column(String(12))
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_role: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str | None] = mapped_column(String(60), doc="Account name of who did it")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"))
    reason: Mapped[str | None] = mapped_column(String(300))
