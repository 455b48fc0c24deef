"""Contacts on every channel; calls with their segments and queue visits; survey answers."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import PERSONAL, Base, Captured, one_of, ordered

DIRECTIONS = ("in", "out")
CONTACT_OUTCOMES = ("answered", "abandoned", "ended_in_ivr", "blocked", "other", "unknown")
BLOCK_REASONS = ("full", "join_empty", "closed")
SEGMENT_KINDS = ("ivr", "alerting", "talk", "hold", "wrap_up")
EXIT_CLASSES = (
    "answered",
    "abandoned",
    "timeout",
    "key_exit",
    "leave_empty",
    "diverted",
    "transferred",
    "unknown",
)


class Channel(Captured, Base):
    """A way in: voice, fax, web form, web chat, web callback, e-mail, SMS, letter, walk-in."""

    __tablename__ = "channels"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    is_written: Mapped[bool] = mapped_column(server_default="0")
    sort_order: Mapped[int] = mapped_column(server_default="0")


class ServiceType(Captured, Base):
    """What a contact is about; a foreign centre's own types hang below ours."""

    __tablename__ = "service_types"

    code: Mapped[str] = mapped_column(String(60), primary_key=True)
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("service_types.code"))
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    sort_order: Mapped[int] = mapped_column(server_default="0")


class Contact(Captured, Base):
    """One exchange with a customer over one channel; unique by (channel, external id)."""

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("channel_code", "external_id"),
        one_of("direction", DIRECTIONS),
        one_of("outcome", CONTACT_OUTCOMES),
        one_of("block_reason", BLOCK_REASONS),
        CheckConstraint("(outcome = 'blocked') = (block_reason IS NOT NULL)", name="blocked_has_a_reason"),
        ordered("started_at", "ended_at"),
        Index("ix_contacts_started_at", "started_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    channel_code: Mapped[str] = mapped_column(ForeignKey("channels.code"))
    external_id: Mapped[str] = mapped_column(String(120), doc="Key at the source, e.g. Asterisk's linked id")
    direction: Mapped[str] = mapped_column(String(4), server_default="in")
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"), doc="Branch it concerns")
    township_id: Mapped[int | None] = mapped_column(ForeignKey("townships.id"))
    service_type_code: Mapped[str | None] = mapped_column(ForeignKey("service_types.code"))
    product_code: Mapped[str | None] = mapped_column(ForeignKey("products.code"))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"), doc="Of the last answered visit")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str] = mapped_column(String(16))
    block_reason: Mapped[str | None] = mapped_column(String(16))
    is_self_served: Mapped[bool] = mapped_column(server_default="0", doc="A self-service was completed in the IVR")
    remote_address: Mapped[str | None] = mapped_column(String(200), info=PERSONAL, doc="Number or e-mail address")
    data_flag: Mapped[str | None] = mapped_column(String(40), doc="What was mended at import, e.g. ivr_time_negative")
    source: Mapped[str] = mapped_column(String(60), server_default="captured")


class Call(Captured, Base):
    """The telephone side of a voice contact."""

    __tablename__ = "calls"
    __table_args__ = (
        ordered("started_at", "ended_at"),
        CheckConstraint("ivr_seconds >= 0", name="ivr_not_negative"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"), unique=True)
    called_number: Mapped[str | None] = mapped_column(String(20))
    trunk: Mapped[str | None] = mapped_column(String(40))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ivr_seconds: Mapped[float] = mapped_column(server_default="0")
    hangup_cause: Mapped[int | None]
    has_recording: Mapped[bool] = mapped_column(server_default="0")


class QueueVisit(Captured, Base):
    """From joining a queue to exactly one exit; several a contact (transfers, re-entry)."""

    __tablename__ = "queue_visits"
    __table_args__ = (
        UniqueConstraint("contact_id", "visit_number"),
        one_of("exit_class", EXIT_CLASSES),
        ordered("entered_at", "exited_at"),
        ordered("exited_at", "ended_at"),
        CheckConstraint("exit_class IS NULL OR exited_at IS NOT NULL", name="exit_has_a_time"),
        Index("ix_queue_visits_entered_at", "entered_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"))
    visit_number: Mapped[int] = mapped_column(doc="1, 2, … within the contact")
    queue_id: Mapped[int] = mapped_column(ForeignKey("queues.id"))
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    exited_at: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="Answered, hung up or left; NULL: waiting")
    exit_class: Mapped[str | None] = mapped_column(String(16))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    seat_id: Mapped[int | None] = mapped_column(ForeignKey("seats.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="End of the answered conversation")
    is_transferred: Mapped[bool] = mapped_column(server_default="0", doc="Answered, then handed on")


class CallSegment(Captured, Base):
    """A stretch of a call: IVR, alerting, talk, hold or wrap-up; queue waits are visits."""

    __tablename__ = "call_segments"
    __table_args__ = (
        UniqueConstraint("call_id", "segment_number"),
        one_of("kind", SEGMENT_KINDS),
        ordered("started_at", "ended_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"))
    segment_number: Mapped[int]
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("queue_visits.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SurveyAnswer(Captured, Base):
    """A satisfaction question after a contact or a ticket; score 1 (bad) to 5 (good), NULL: no answer."""

    __tablename__ = "survey_answers"
    __table_args__ = (
        CheckConstraint("score BETWEEN 1 AND 5", name="score_1_to_5"),
        ordered("asked_at", "answered_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"), index=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    score: Mapped[int | None]
