"""Latest scores, the words of their reasons, and proposed changes of key levels."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base, one_of
from crm_api.customers.models import KEY_LEVELS

PROPOSAL_STATES = ("open", "accepted", "declined", "superseded")


class CustomerScore(Base):
    """The latest score of a customer by one model.

    Not captured: scores come from the lake and are replaced as a whole, so they need not go back to it. No foreign
    key: thirteen million rows are loaded at once, and customers are never hard-deleted.
    """

    __tablename__ = "customer_scores"
    __table_args__ = (Index("ix_customer_scores_model_score", "model", "score"),)

    customer_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    model: Mapped[str] = mapped_column(
        String(40), primary_key=True, doc="churn, key_customer, segment, offer_broadband …"
    )
    score: Mapped[float] = mapped_column(doc="Probability, value in yuan, or (segment) the segment's number")
    percentile: Mapped[int] = mapped_column(doc="0 … 100 among the scored: 99 is the highest hundredth")
    label: Mapped[str] = mapped_column(String(40), doc="Band (high, medium, low), segment or level")
    version: Mapped[str] = mapped_column(String(40))
    as_of: Mapped[date] = mapped_column(Date, doc="Nothing that happened on or after this local day was looked at")
    reasons: Mapped[str] = mapped_column(String(400), doc="code=value;code=value, strongest first")


class ScoreText(Base):
    """Words of a model's codes: its name (''), its labels (label:…) and its reasons; `{value}` is filled in."""

    __tablename__ = "score_texts"

    model: Mapped[str] = mapped_column(String(40), primary_key=True)
    code: Mapped[str] = mapped_column(String(80), primary_key=True)
    text_zh: Mapped[str] = mapped_column(String(400))
    text_en: Mapped[str] = mapped_column(String(400))


class KeyLevelProposal(Base):
    """A proposed change of a customer's key level, which a person accepts or declines."""

    __tablename__ = "key_level_proposals"
    __table_args__ = (
        one_of("from_level", KEY_LEVELS),
        one_of("to_level", KEY_LEVELS),
        one_of("state", PROPOSAL_STATES),
        Index("ix_key_level_proposals_state_unit_id", "state", "unit_id"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"))
    from_level: Mapped[str] = mapped_column(String(12))
    to_level: Mapped[str] = mapped_column(String(12))
    score: Mapped[float] = mapped_column(doc="0 … 100")
    parts: Mapped[dict[str, Any]] = mapped_column(JSON, doc="Part of the score -> points")
    version: Mapped[str] = mapped_column(String(40))
    as_of: Mapped[date] = mapped_column(Date)
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(12), server_default="open")
    decided_by: Mapped[str | None] = mapped_column(String(60))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str | None] = mapped_column(String(300))
