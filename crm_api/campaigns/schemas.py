"""Bodies of the campaign routes."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from crm_api.web.schemas import Code, In, Line, Name, Out, Reason

Percent = Annotated[int, Field(ge=0, le=100)]
Seconds = Annotated[int, Field(ge=8 * 3600, le=21 * 3600, description="Seconds of the local day, 08:00 … 21:00")]


class OfferIn(In):
    """A new offer of the catalogue."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
    name_zh: Annotated[str, Field(min_length=1, max_length=80)]
    name_en: Annotated[str, Field(min_length=1, max_length=80)]
    product_code: str | None = None
    margin_fen: Annotated[int, Field(ge=0, le=10**12)]
    requires_product: str | None = None
    excludes_product: str | None = None


class OfferOut(Out):
    """An offer of the catalogue."""

    code: str
    name_zh: str
    name_en: str
    product_code: str | None
    margin_fen: int
    requires_product: str | None
    excludes_product: str | None
    is_active: bool


class CampaignOfferIn(In):
    """An offer of a campaign: scored by a model, else taken at the assumed rate; `capacity` null: no limit."""

    offer_code: Code
    score_model: Annotated[str, Field(max_length=40)] | None = None
    assumed_rate: Annotated[float, Field(ge=0, le=1)] = 0.05
    capacity: Annotated[int, Field(ge=0, le=10**9)] | None = None


class CampaignUnitIn(In):
    """A city branch and its calls a day."""

    unit_id: Annotated[int, Field(ge=1, le=2**63 - 1)]
    calls_per_day: Annotated[int, Field(ge=0, le=10**6)]


class CampaignChange(In):
    """What may be changed before approval; what is left out stays."""

    name: Name | None = None
    purpose: Literal["service", "marketing", "survey", "profiling"] | None = None
    goal: Literal["subscribe", "stay"] | None = None
    audience_kind: Literal["any", "person", "organisation"] | None = None
    segments: Annotated[str, Field(max_length=200)] | None = None
    score_model: Annotated[str, Field(max_length=40)] | None = None
    min_percentile: Percent | None = None
    includes_key_customers: bool | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    opens_second: Seconds | None = None
    closes_second: Seconds | None = None
    holdout_percent: Annotated[int, Field(ge=0, le=50)] | None = None
    max_attempts: Annotated[int, Field(ge=1, le=10)] | None = None
    retry_minutes: Annotated[int, Field(ge=1, le=20160)] | None = None
    cap_contacts: Annotated[int, Field(ge=1, le=100)] | None = None
    cap_days: Annotated[int, Field(ge=0, le=366)] | None = None
    cooling_days: Annotated[int, Field(ge=0, le=1000)] | None = None
    window_days: Annotated[int, Field(ge=1, le=366)] | None = None
    cost_per_call_fen: Annotated[int, Field(ge=0, le=10**6)] | None = None
    script: Annotated[str, Field(max_length=10_000)] | None = None
    offers: Annotated[list[CampaignOfferIn], Field(min_length=1, max_length=10)] | None = None
    units: Annotated[list[CampaignUnitIn], Field(min_length=1, max_length=50)] | None = None


class CampaignIn(CampaignChange):
    """A new campaign."""

    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,39}$")]
    name: Name
    purpose: Literal["service", "marketing", "survey", "profiling"]
    goal: Literal["subscribe", "stay"]
    starts_on: date
    ends_on: date
    offers: Annotated[list[CampaignOfferIn], Field(min_length=1, max_length=10)]
    units: Annotated[list[CampaignUnitIn], Field(min_length=1, max_length=50)]


class CampaignOut(Out):
    """A campaign."""

    id: int
    code: str
    name: str
    purpose: str
    goal: str
    state: str
    version: int
    audience_kind: str
    segments: str
    score_model: str | None
    min_percentile: int
    includes_key_customers: bool
    starts_on: date
    ends_on: date
    opens_second: int
    closes_second: int
    holdout_percent: int
    max_attempts: int
    retry_minutes: int
    cap_contacts: int
    cap_days: int
    cooling_days: int
    window_days: int
    cost_per_call_fen: int
    script: str
    created_by: str
    reviewed_by: str | None
    approved_by: str | None


class BuildOut(Out):
    """A build of a list: waiting for a worker, running, done or failed."""

    id: int
    version: int
    state: str
    requested_by: str
    requested_at: datetime
    ended_at: datetime | None
    candidates: int | None
    listed: int | None
    held_out: int | None
    value_fen: int | None
    solver: str | None
    gap: float | None
    failure: str | None


class CampaignDetail(Out):
    """A campaign with what belongs to it."""

    campaign: CampaignOut
    offers: list[dict[str, Any]]
    units: list[dict[str, int]]
    steps: list[str]
    build: BuildOut | None
    gates: dict[str, int]
    entries: dict[str, int]
    outcomes: dict[str, int]


class GatesOut(Out):
    """Candidates that each gate takes out first; `eligible` passes all."""

    gates: dict[str, int]


class LeftOut(Out):
    """A customer whom a gate took out."""

    customer_id: int
    city_code: str | None


class LeftOutOut(Out):
    """Whom one gate took out of the newest list: how many, and the newest of them."""

    total: int
    customers: list[LeftOut]


class StepIn(In):
    """A step of the campaign."""

    step: Code


class EntryOut(Out):
    """A call of a list, without the customer's numbers; the holdout is not shown."""

    id: int
    customer_id: int
    unit_id: int
    offer_code: str
    state: str
    rank: int
    planned_on: date
    score: float
    value_fen: int
    attempts: int
    outcome: str | None
    stop_reason: str | None
    next_attempt_at: datetime | None


class NextIn(In):
    """How many entries to take."""

    limit: Annotated[int, Field(ge=1, le=100)] = 1


class TakenOut(Out):
    """An entry that is kept for its taker; the number comes with the check before dialling."""

    entry_id: int
    customer_id: int
    offer_code: str
    attempt: int
    reserved_until: datetime


class CheckOut(Out):
    """Whether it may be dialled now; the number only if so."""

    may_dial: bool
    reason: str | None
    number: str | None


class OutcomeIn(In):
    """What came of a call; `external_id` makes a repetition harmless."""

    outcome: Literal[
        "accepted",
        "refused",
        "undecided",
        "callback",
        "do_not_call",
        "wrong_number",
        "no_answer",
        "busy",
        "abandoned",
        "failed",
    ]
    external_id: Annotated[str, Field(min_length=1, max_length=120)]
    talk_seconds: Annotated[int, Field(ge=0, le=86400)] | None = None
    callback_at: datetime | None = None
    note: Line | None = None


class AttemptOut(Out):
    """A call that was written down."""

    id: int
    entry_id: int
    outcome: str
    at: datetime


class ExportIn(In):
    """Which file; with a reason, for who may, names and numbers in clear."""

    format: Literal["csv", "xlsx"] = "csv"
    reason: Reason | None = None
