"""Campaigns with offers and branches, call lists with entries and attempts, the jobs that build lists."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base, Captured, one_of, ordered
from crm_api.customers.models import CONSENT_PURPOSES

CAMPAIGN_STATES = ("draft", "built", "reviewed", "approved", "running", "finished")
GOALS = ("subscribe", "stay")
AUDIENCE_KINDS = ("any", "person", "organisation")
ARMS = ("call", "holdout")
#: waiting and reserved entries may still be called; the others never again.
ENTRY_STATES = ("waiting", "reserved", "done", "stopped", "removed", "held")
OPEN_STATES = ("waiting", "reserved")
#: What came of an attempt: the first five mean that the customer was spoken to.
REACHED = ("accepted", "refused", "undecided", "callback", "do_not_call")
ATTEMPT_OUTCOMES = (*REACHED, "wrong_number", "no_answer", "busy", "abandoned", "failed")
BUILD_STATES = ("waiting", "running", "done", "failed")
#: In this order; the first that fails is written down for each candidate.
GATES = (
    "not_active",
    "minor",
    "do_not_call",
    "no_consent",
    "open_complaint",
    "suspended",
    "key_customer",
    "on_a_list",
    "frequency_cap",
    "cooling_off",
    "product",
    "no_phone",
    "no_score",
    "no_value",
    "same_number",
    "global_holdout",
)
ELIGIBLE = "eligible"


class Offer(Captured, Base):
    """What a campaign can propose: its product, its margin over the contract (fen), and who may have it."""

    __tablename__ = "offers"
    __table_args__ = (CheckConstraint("margin_fen >= 0", name="margin_not_negative"),)

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    product_code: Mapped[str | None] = mapped_column(ForeignKey("products.code"), doc="NULL: it keeps what is there")
    margin_fen: Mapped[int] = mapped_column(BigInteger, doc="Contribution of one acceptance, before the calls")
    requires_product: Mapped[str | None] = mapped_column(ForeignKey("products.code"))
    excludes_product: Mapped[str | None] = mapped_column(ForeignKey("products.code"))
    is_active: Mapped[bool] = mapped_column(server_default="1")


class Campaign(Captured, Base):
    """Who is to be called about what, when, how often, and who never is, so that the effect can be measured."""

    __tablename__ = "campaigns"
    __table_args__ = (
        one_of("state", CAMPAIGN_STATES),
        one_of("purpose", CONSENT_PURPOSES),
        one_of("goal", GOALS),
        one_of("audience_kind", AUDIENCE_KINDS),
        ordered("starts_on", "ends_on"),
        CheckConstraint("holdout_percent BETWEEN 0 AND 50", name="holdout_sane"),
        CheckConstraint("min_percentile BETWEEN 0 AND 100", name="percentile_known"),
        CheckConstraint("opens_second >= 28800 AND closes_second <= 75600", name="decent_hours"),
        CheckConstraint("opens_second < closes_second", name="opens_before_it_closes"),
        CheckConstraint("max_attempts BETWEEN 1 AND 10", name="attempts_sane"),
        CheckConstraint("cap_contacts >= 1 AND cap_days >= 0 AND cooling_days >= 0", name="cap_sane"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    purpose: Mapped[str] = mapped_column(String(20), doc="Of the consent that it needs, over voice")
    goal: Mapped[str] = mapped_column(String(12), doc="subscribe: takes the offer's product; stay: does not leave")
    state: Mapped[str] = mapped_column(String(12), server_default="draft")
    version: Mapped[int] = mapped_column(server_default="1", doc="Rises with every change; a list is of one version")
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"), doc="Who runs it")
    audience_kind: Mapped[str] = mapped_column(String(12), server_default="any")
    segments: Mapped[str] = mapped_column(String(200), server_default="", doc="Labels of the segment model, by blanks")
    score_model: Mapped[str | None] = mapped_column(String(40), doc="Model of the score condition")
    min_percentile: Mapped[int] = mapped_column(server_default="0", doc="Only from this percentile of that score")
    includes_key_customers: Mapped[bool] = mapped_column(server_default="0")
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
    opens_second: Mapped[int] = mapped_column(server_default="32400", doc="Calls from this second of the local day")
    closes_second: Mapped[int] = mapped_column(server_default="72000")
    holdout_percent: Mapped[int] = mapped_column(server_default="10")
    max_attempts: Mapped[int] = mapped_column(server_default="3")
    retry_minutes: Mapped[int] = mapped_column(server_default="240")
    cap_contacts: Mapped[int] = mapped_column(server_default="2", doc="Outgoing contacts at most within cap_days")
    cap_days: Mapped[int] = mapped_column(server_default="30")
    cooling_days: Mapped[int] = mapped_column(server_default="90", doc="After a refusal of this purpose")
    window_days: Mapped[int] = mapped_column(server_default="30", doc="Within which the goal counts")
    cost_per_call_fen: Mapped[int] = mapped_column(server_default="300")
    script: Mapped[str] = mapped_column(Text, server_default="")
    created_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reviewed_by: Mapped[str | None] = mapped_column(String(60))
    approved_by: Mapped[str | None] = mapped_column(String(60))
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CampaignOffer(Captured, Base):
    """An offer of a campaign, how likely it is taken (a model's score, else a rate), and how often it may be made."""

    __tablename__ = "campaign_offers"
    __table_args__ = (
        UniqueConstraint("campaign_id", "offer_code"),
        CheckConstraint("assumed_rate BETWEEN 0 AND 1", name="rate_known"),
        CheckConstraint("capacity >= 0", name="capacity_not_negative"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    offer_code: Mapped[str] = mapped_column(ForeignKey("offers.code"))
    score_model: Mapped[str | None] = mapped_column(String(40))
    assumed_rate: Mapped[float] = mapped_column(server_default="0.05", doc="Where no model scores it")
    capacity: Mapped[int | None] = mapped_column(doc="Calls with this offer over the whole campaign; NULL: no limit")


class CampaignUnit(Captured, Base):
    """A city branch of a campaign and the calls it may get a day."""

    __tablename__ = "campaign_units"
    __table_args__ = (
        UniqueConstraint("campaign_id", "unit_id"),
        CheckConstraint("calls_per_day >= 0", name="calls_not_negative"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"), index=True)
    calls_per_day: Mapped[int]


class CallListEntry(Captured, Base):
    """A customer of a campaign, once and for good: to be called about one offer, or held out and never called."""

    __tablename__ = "call_list_entries"
    __table_args__ = (
        UniqueConstraint("campaign_id", "customer_id"),
        one_of("arm", ARMS),
        one_of("state", ENTRY_STATES),
        one_of("outcome", ATTEMPT_OUTCOMES),
        CheckConstraint("(arm = 'holdout') = (state = 'held')", name="the_holdout_is_never_called"),
        CheckConstraint("arm = 'call' OR attempts = 0", name="no_attempt_on_the_holdout"),
        Index("ix_call_list_entries_campaign_id_state", "campaign_id", "state", "planned_on", "rank"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    phone_id: Mapped[int] = mapped_column(ForeignKey("customer_phones.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"), doc="City branch whose capacity it uses")
    offer_code: Mapped[str] = mapped_column(ForeignKey("offers.code"))
    arm: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(doc="Of the campaign that put it on the list")
    rank: Mapped[int] = mapped_column(doc="1 is called first within its branch; 0 for the holdout")
    planned_on: Mapped[date] = mapped_column(Date)
    score: Mapped[float] = mapped_column(doc="Probability of acceptance, or effect of the call")
    value_fen: Mapped[int] = mapped_column(BigInteger, doc="Score × margin − cost of a call")
    listed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="Not before; a promised call's time")
    reserved_by: Mapped[str | None] = mapped_column(String(60))
    reserved_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(16), doc="Of the last attempt")
    stop_reason: Mapped[str | None] = mapped_column(String(20), doc="The gate that stopped it after it was listed")
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CallAttempt(Captured, Base):
    """One dialling of an entry and what came of it; told twice with one key it is one."""

    __tablename__ = "call_attempts"
    __table_args__ = (
        UniqueConstraint("entry_id", "external_id"),
        one_of("outcome", ATTEMPT_OUTCOMES),
        Index("ix_call_attempts_customer_id_at", "customer_id", "at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("call_list_entries.id"))
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    external_id: Mapped[str] = mapped_column(String(120), doc="Key of the call at its source")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str] = mapped_column(String(16))
    talk_seconds: Mapped[int | None]
    username: Mapped[str] = mapped_column(String(60), doc="Who told it")
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    note: Mapped[str | None] = mapped_column(String(300))


class ListGate(Captured, Base):
    """How many candidates one gate took out of one version of a list; `eligible` counts who passed all."""

    __tablename__ = "list_gates"
    __table_args__ = (UniqueConstraint("campaign_id", "version", "gate"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    version: Mapped[int]
    gate: Mapped[str] = mapped_column(String(20))
    position: Mapped[int]
    customers: Mapped[int]


class ListBuild(Base):
    """A list to be built: a job that a worker takes; and what it made."""

    __tablename__ = "list_builds"
    __table_args__ = (one_of("state", BUILD_STATES), Index("ix_list_builds_state", "state"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), server_default="waiting")
    requested_by: Mapped[str] = mapped_column(String(60))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    candidates: Mapped[int | None]
    listed: Mapped[int | None]
    held_out: Mapped[int | None]
    value_fen: Mapped[int | None] = mapped_column(BigInteger)
    solver: Mapped[str | None] = mapped_column(String(20), doc="highs, or greedy where it gave up")
    gap: Mapped[float | None] = mapped_column(doc="How far below the best possible value the list may be, 0 … 1")
    failure: Mapped[str | None] = mapped_column(String(300))


class ListAssessment(Base):
    """The first gate that a candidate of a campaign failed at the last build, or `holdout`, `capacity`, `eligible`."""

    __tablename__ = "list_assessments"

    campaign_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    customer_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    gate: Mapped[str] = mapped_column(String(20))


class OutboundCapacity(Base):
    """Outgoing calls that the forecast leaves free on a day, all campaigns together; no row: no limit."""

    __tablename__ = "outbound_capacity"
    __table_args__ = (CheckConstraint("calls >= 0", name="calls_not_negative"),)

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    calls: Mapped[int]
    told_by: Mapped[str] = mapped_column(String(60))
