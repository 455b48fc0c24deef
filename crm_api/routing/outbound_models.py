"""What the IVR heard, calls that the platform makes, the dialler's emergency stop, and recordings."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import PERSONAL, Base, Captured, one_of, ordered

OUTBOUND_KINDS = ("queue_callback", "outage_callback", "scheduled", "campaign")
OUTBOUND_MODES = ("progressive", "preview")
OUTBOUND_STATES = ("waiting", "offered", "dialling", "done")
DISPOSITIONS = ("connected", "abandoned", "no_answer", "busy", "failed", "refused", "cancelled")


class IvrStep(Captured, Base):
    """One step of a caller's way through the IVR: the node, and what was chosen or found there."""

    __tablename__ = "ivr_steps"
    __table_args__ = (UniqueConstraint("contact_id", "step_number"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"))
    step_number: Mapped[int] = mapped_column(doc="1, 2, … within the contact")
    node: Mapped[str] = mapped_column(String(60))
    choice: Mapped[str | None] = mapped_column(String(60), doc="Key pressed, or what was found; never digits typed")
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OutboundCall(Captured, Base):
    """A call that the platform is to make: asked for in the IVR, promised by an agent, or of a call list."""

    __tablename__ = "outbound_calls"
    __table_args__ = (
        one_of("kind", OUTBOUND_KINDS),
        one_of("mode", OUTBOUND_MODES),
        one_of("state", OUTBOUND_STATES),
        one_of("disposition", DISPOSITIONS),
        CheckConstraint("(state = 'done') = (disposition IS NOT NULL)", name="done_has_a_disposition"),
        ordered("created_at", "ended_at"),
        UniqueConstraint("kind", "origin_id"),
        Index("ix_outbound_calls_state_due_at", "state", "due_at"),
        Index("ix_outbound_calls_dialled_at", "dialled_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    mode: Mapped[str] = mapped_column(String(12), server_default="progressive")
    state: Mapped[str] = mapped_column(String(12), server_default="waiting")
    origin_id: Mapped[str] = mapped_column(String(120), doc="Key of what asked for it: call, callback, list entry")
    number: Mapped[str] = mapped_column(String(40), info=PERSONAL)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), doc="Outage whose end it waits for")
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queues.id"), doc="Whose agents take it")
    username: Mapped[str | None] = mapped_column(String(60), doc="The agent to whom it is offered, if one is named")
    kept_since: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="The place kept in the queue")
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(server_default="0")
    disposition: Mapped[str | None] = mapped_column(String(12))
    refused_because: Mapped[str | None] = mapped_column(String(40), doc="Rule that forbade it at dial time")
    external_id: Mapped[str | None] = mapped_column(String(120), doc="Key of the last attempt's contact")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    dialled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="By the customer")
    connected_at: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="With an agent")
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DiallerSwitch(Base):
    """The dialler's emergency stop: one row; while `stopped_at` is set nothing is dialled."""

    __tablename__ = "dialler_switch"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stopped_by: Mapped[str | None] = mapped_column(String(60))
    reason: Mapped[str | None] = mapped_column(String(300))


class Recording(Captured, Base):
    """A call's sound file, until its retention ends; the row stays when the file is gone."""

    __tablename__ = "recordings"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"), index=True)
    file: Mapped[str] = mapped_column(String(200), unique=True, doc="Below the folder of recordings")
    is_encrypted: Mapped[bool] = mapped_column(server_default="0")
    seconds: Mapped[float]
    bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), doc="Of the sound before encryption")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    kept_until: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="By the rule; NULL: until a person decides")
    rule: Mapped[str] = mapped_column(String(40), doc="Rule of retention.yml that decided")
    purged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
