"""What Asterisk is configured from, and the residual of reconciliation."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base, Captured, one_of
from crm_api.routing.outbound_models import DiallerSwitch, IvrStep, OutboundCall, Recording

__all__ = [
    "ENDPOINT_KINDS",
    "STRATEGIES",
    "AgentEndpoint",
    "DiallerSwitch",
    "IvrStep",
    "OutboundCall",
    "QueueRouting",
    "Recording",
    "TelephonyResidual",
    "TelephonySign",
]

STRATEGIES = ("ring_all", "least_recent", "fewest_calls", "linear", "weighted_random", "skill_rank")
ENDPOINT_KINDS = ("sip", "webrtc")


class QueueRouting(Captured, Base):
    """How one queue hands calls to agents; seconds; 0 is no limit."""

    __tablename__ = "queue_routings"
    __table_args__ = (
        one_of("strategy", STRATEGIES),
        CheckConstraint("ring_seconds BETWEEN 1 AND 300", name="ring_seconds_sane"),
        CheckConstraint("wrap_up_seconds >= 0 AND max_waiting >= 0 AND max_wait_seconds >= 0", name="not_negative"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("queues.id"), unique=True)
    strategy: Mapped[str] = mapped_column(String(20), server_default="least_recent")
    ring_seconds: Mapped[int] = mapped_column(server_default="15")
    wrap_up_seconds: Mapped[int] = mapped_column(server_default="10")
    max_waiting: Mapped[int] = mapped_column(server_default="0")
    max_wait_seconds: Mapped[int] = mapped_column(server_default="0")
    weight: Mapped[int] = mapped_column(server_default="0")


class AgentEndpoint(Base):
    """An agent's phone: hard SIP phone or browser. Not captured: the secret stays in the store."""

    __tablename__ = "agent_endpoints"
    __table_args__ = (one_of("kind", ENDPOINT_KINDS),)

    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), server_default="webrtc")
    secret: Mapped[str] = mapped_column(String(64))


class TelephonySign(Base):
    """The one row in which telephony says that it is there: connected to the PBX and able to act on it."""

    __tablename__ = "telephony_signs"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TelephonyResidual(Captured, Base):
    """How one day's live picture differed from the PBX's own log, before the log corrected it."""

    __tablename__ = "telephony_residuals"
    __table_args__ = (UniqueConstraint("day"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    day: Mapped[date] = mapped_column(Date, doc="Day in Asia/Shanghai on which the visit began")
    calls_in_log: Mapped[int] = mapped_column(server_default="0")
    calls_differing: Mapped[int] = mapped_column(
        server_default="0", doc="With a visit missing, extra, unknown or wrong"
    )
    visits_in_log: Mapped[int]
    visits_missing: Mapped[int] = mapped_column(doc="In the log, not in the store")
    visits_extra: Mapped[int] = mapped_column(doc="In the store, not in the log")
    visits_unknown: Mapped[int] = mapped_column(doc="Whose ending the store did not know")
    visits_wrong: Mapped[int] = mapped_column(doc="Whose ending the store told otherwise than the log")
    wait_seconds_differing: Mapped[int] = mapped_column(doc="Sum of absolute differences")
    talk_seconds_differing: Mapped[int] = mapped_column(doc="Sum of absolute differences")
    reconciled_at: Mapped[datetime] = mapped_column(UtcDateTime)
