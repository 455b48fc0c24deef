"""What the loop keeps beside a ticket: its running work, the details of its history, nested assignments, calls back."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base, Captured, one_of, ordered

COMMENT_AUDIENCES = ("internal", "customer")
LINK_KINDS = ("related", "duplicate", "caused_by")
FOLLOW_UP_OUTCOMES = ("satisfied", "dissatisfied", "no_answer", "refused", "wrong_number")
PENDING_REASONS = ("customer", "part", "weather", "third_party", "other")
BULK_STATUSES = ("proposed", "done", "undone")


class TicketWork(Base):
    """The running side of a ticket: derived from its history and made anew from it when missing."""

    __tablename__ = "ticket_work"
    __table_args__ = (
        one_of("pending_reason", PENDING_REASONS),
        Index("ix_ticket_work_next_step_at", "next_step_at"),
        Index(
            "ix_ticket_work_pending_until",
            "pending_until",
            sqlite_where=text("pending_until IS NOT NULL"),
            postgresql_where=text("pending_until IS NOT NULL"),
        ),
        Index("ix_ticket_work_handler", "handler"),
    )

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True, autoincrement=False)
    process_version_id: Mapped[int] = mapped_column(ForeignKey("process_versions.id"))
    handler: Mapped[str | None] = mapped_column(String(60), doc="Account name of who works it")
    state_since: Mapped[datetime] = mapped_column(UtcDateTime)
    resolution: Mapped[str | None] = mapped_column(Text, doc="What was done, in the resolver's words")
    pending_reason: Mapped[str | None] = mapped_column(String(12))
    pending_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    clocks: Mapped[dict[str, Any]] = mapped_column(JSON, doc="Clock -> policy, target and calendar that apply")
    at_risk_at: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="Resolution used up to 75 %; NULL: stopped")
    next_step_at: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="When the ladder is looked at next")
    follow_up_at: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="Not before this; NULL: at once")
    claimed_by: Mapped[str | None] = mapped_column(String(60), doc="Who makes the follow-up call")
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TicketEventDetail(Base):
    """What an event changed, old and new, and the clocks as they then stood. Append-only."""

    __tablename__ = "ticket_event_details"

    event_id: Mapped[int] = mapped_column(ForeignKey("ticket_events.id"), primary_key=True, autoincrement=False)
    action: Mapped[str] = mapped_column(String(30), doc="The transition's code, or e.g. edit, sub_dispatch, undo")
    changes: Mapped[dict[str, Any]] = mapped_column(JSON, doc="Field -> [old, new]")
    clocks: Mapped[dict[str, Any]] = mapped_column(JSON, doc="Clock -> policy, target, elapsed, due, standing")


class TicketAssignment(Captured, Base):
    """A branch's nested assignment of a ticket to one of its counties: sent, and returned with what was done."""

    __tablename__ = "ticket_assignments"
    __table_args__ = (
        ordered("sent_at", "returned_at"),
        Index(
            "uq_ticket_assignments_one_open",
            "ticket_id",
            "unit_id",
            unique=True,
            sqlite_where=text("returned_at IS NULL"),
            postgresql_where=text("returned_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"), index=True, doc="The county")
    sent_by: Mapped[str] = mapped_column(String(60))
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    returned_by: Mapped[str | None] = mapped_column(String(60))
    returned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TicketComment(Base):
    """A remark on a ticket, for colleagues or for the customer."""

    __tablename__ = "ticket_comments"
    __table_args__ = (one_of("audience", COMMENT_AUDIENCES), Index("ix_ticket_comments_ticket_id", "ticket_id", "id"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    audience: Mapped[str] = mapped_column(String(8))
    body: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(60))
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TicketLink(Base):
    """Two tickets that have to do with each other."""

    __tablename__ = "ticket_links"
    __table_args__ = (
        UniqueConstraint("ticket_id", "other_id", "kind"),
        one_of("kind", LINK_KINDS),
        CheckConstraint("ticket_id <> other_id", name="not_itself"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    created_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TicketTemplate(Base):
    """A prefilled ticket of a service type, with the checklist its work must follow."""

    __tablename__ = "ticket_templates"

    code: Mapped[str] = mapped_column(String(60), primary_key=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    service_type_code: Mapped[str] = mapped_column(ForeignKey("service_types.code"), index=True)
    values: Mapped[dict[str, Any]] = mapped_column(JSON, doc="Field -> value of the new ticket")
    checklist: Mapped[list[dict[str, Any]]] = mapped_column(JSON, doc="code, text_zh, text_en, is_required")
    sort_order: Mapped[int] = mapped_column(server_default="0")


class ChecklistItem(Base):
    """One thing to do on a ticket; a required one holds the resolution back."""

    __tablename__ = "ticket_checklist_items"
    __table_args__ = (UniqueConstraint("ticket_id", "code"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    code: Mapped[str] = mapped_column(String(40))
    text_zh: Mapped[str] = mapped_column(String(200))
    text_en: Mapped[str] = mapped_column(String(200))
    is_required: Mapped[bool] = mapped_column(server_default="0")
    done_by: Mapped[str | None] = mapped_column(String(60))
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class FollowUpCall(Base):
    """An attempt to ask the customer, before the ticket closes, whether all is well."""

    __tablename__ = "follow_up_calls"
    __table_args__ = (
        UniqueConstraint("ticket_id", "attempt_number"),
        one_of("outcome", FOLLOW_UP_OUTCOMES),
        CheckConstraint("score BETWEEN 1 AND 5", name="score_1_to_5"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    attempt_number: Mapped[int]
    called_at: Mapped[datetime] = mapped_column(UtcDateTime)
    caller: Mapped[str] = mapped_column(String(60))
    outcome: Mapped[str] = mapped_column(String(12))
    score: Mapped[int | None]
    note: Mapped[str | None] = mapped_column(String(300))


class CreationKey(Base):
    """What a creating call made, so that its repetition makes nothing."""

    __tablename__ = "creation_keys"
    __table_args__ = (UniqueConstraint("username", "operation", "key"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    username: Mapped[str] = mapped_column(String(60))
    operation: Mapped[str] = mapped_column(String(60))
    key: Mapped[str] = mapped_column(String(200))
    request_digest: Mapped[str] = mapped_column(String(64))
    row_id: Mapped[int | None] = mapped_column(Key)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class BulkAction(Base):
    """One action on many tickets: previewed, done, perhaps undone."""

    __tablename__ = "bulk_actions"
    __table_args__ = (one_of("status", BULK_STATUSES),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    action: Mapped[str] = mapped_column(String(30))
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(8))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), doc="The outage that proposed it")
    created_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class BulkItem(Base):
    """What a bulk action did, or why it did nothing, to one ticket."""

    __tablename__ = "bulk_items"
    __table_args__ = (UniqueConstraint("bulk_id", "ticket_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    bulk_id: Mapped[int] = mapped_column(ForeignKey("bulk_actions.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    event_number: Mapped[int | None] = mapped_column(doc="The event that it wrote")
    undo_number: Mapped[int | None] = mapped_column(doc="The event that took it back")
    refusal: Mapped[str | None] = mapped_column(String(300))
