"""Queues, seats, agents, shifts and what agents were doing when."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base, Captured, one_of, ordered

AGENT_STATES = ("available", "alerting", "talk", "hold", "wrap_up", "pause")


class Queue(Captured, Base):
    """A queue that contacts wait in, with its service-level target and its opening calendar."""

    __tablename__ = "queues"
    __table_args__ = (CheckConstraint("target_seconds > 0", name="target_positive"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    is_priority: Mapped[bool] = mapped_column(server_default="0")
    target_seconds: Mapped[int] = mapped_column(server_default="20", doc="T of the queue's own target")
    calendar_code: Mapped[str] = mapped_column(ForeignKey("calendars.code"))


class Seat(Captured, Base):
    """A work place in a centre, installed from a day until a day (open: still there)."""

    __tablename__ = "seats"
    __table_args__ = (ordered("installed_on", "removed_on"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    centre_code: Mapped[str] = mapped_column(String(40), doc="The site; its seats share a calendar")
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"))
    calendar_code: Mapped[str] = mapped_column(ForeignKey("calendars.code"))
    installed_on: Mapped[date] = mapped_column(Date)
    removed_on: Mapped[date | None] = mapped_column(Date)


class Agent(Captured, Base):
    """A person who takes contacts; known to callers by the code."""

    __tablename__ = "agents"
    __table_args__ = (ordered("hired_on", "left_on"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"))
    hired_on: Mapped[date | None] = mapped_column(Date)
    left_on: Mapped[date | None] = mapped_column(Date)


class AgentQueue(Captured, Base):
    """A queue that an agent serves, with a skill rank (1 is best)."""

    __tablename__ = "agent_queues"
    __table_args__ = (UniqueConstraint("agent_id", "queue_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"))
    queue_id: Mapped[int] = mapped_column(ForeignKey("queues.id"))
    skill_rank: Mapped[int] = mapped_column(server_default="1")


class Shift(Captured, Base):
    """A planned shift of an agent at a seat."""

    __tablename__ = "shifts"
    __table_args__ = (UniqueConstraint("agent_id", "starts_at"), ordered("starts_at", "ends_at"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"))
    seat_id: Mapped[int | None] = mapped_column(ForeignKey("seats.id"))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AgentStateInterval(Captured, Base):
    """One state of an agent from an instant to an instant (open: still in it); an agent is in one at a time."""

    __tablename__ = "agent_states"
    __table_args__ = (
        one_of("state", AGENT_STATES),
        ordered("started_at", "ended_at"),
        UniqueConstraint("agent_id", "started_at", "source"),
        CheckConstraint("state <> 'pause' OR pause_reason IS NOT NULL", name="pause_has_a_reason"),
        Index("ix_agent_states_started_at", "started_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"))
    seat_id: Mapped[int | None] = mapped_column(ForeignKey("seats.id"))
    call_id: Mapped[int | None] = mapped_column(Key, doc="The call it belongs to; no key: states may come first")
    state: Mapped[str] = mapped_column(String(12))
    pause_reason: Mapped[str | None] = mapped_column(String(20))
    pause_paid: Mapped[bool | None]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    source: Mapped[str] = mapped_column(String(60), server_default="captured")
