"""Campaigns: defining, changing, taking them through review and approval; and what others ask of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.base import Base
from crm_api.campaigns.building import request_build
from crm_api.campaigns.candidates import count_gates
from crm_api.campaigns.dialling import DialEntry, Verdict, next_entries, recheck, record_outcome, release
from crm_api.campaigns.models import (
    OPEN_STATES,
    CallAttempt,
    CallListEntry,
    Campaign,
    CampaignOffer,
    CampaignUnit,
    Offer,
)
from crm_api.campaigns.policy import check_days, check_step, need_some, need_text
from crm_api.campaigns.reading import get_campaign, last_build, plan_of
from crm_api.dialect import insert_if_absent
from crm_api.errors import ConflictError, InvalidError
from crm_api.identity.scope import visible_units
from crm_api.organisation.models import OrgUnit
from crm_api.webhooks.service import publish

__all__ = [
    "DialEntry",
    "HistoryItem",
    "OfferPlan",
    "Verdict",
    "add_offer",
    "change",
    "create",
    "effects",
    "history",
    "next_entries",
    "recheck",
    "record_outcome",
    "release",
    "request_build",
    "step",
]

#: Columns of a campaign that a person fills in.
EDITABLE = (
    "name",
    "purpose",
    "goal",
    "audience_kind",
    "segments",
    "score_model",
    "min_percentile",
    "includes_key_customers",
    "starts_on",
    "ends_on",
    "opens_second",
    "closes_second",
    "holdout_percent",
    "max_attempts",
    "retry_minutes",
    "cap_contacts",
    "cap_days",
    "cooling_days",
    "window_days",
    "cost_per_call_fen",
    "script",
)
_RANGES = {
    "min_percentile": (0, 100),
    "holdout_percent": (0, 50),
    "opens_second": (8 * 3600, 21 * 3600),
    "closes_second": (8 * 3600, 21 * 3600),
    "max_attempts": (1, 10),
    "retry_minutes": (1, 14 * 1440),
    "cap_contacts": (1, 100),
    "cap_days": (0, 366),
    "cooling_days": (0, 1000),
    "window_days": (1, 366),
    "cost_per_call_fen": (0, 1_000_000),
}


@dataclass(frozen=True)
class OfferPlan:
    """An offer of a campaign: the model that says how likely it is taken, else the rate assumed; calls at most."""

    offer_code: str
    score_model: str | None = None
    assumed_rate: float = 0.05
    capacity: int | None = None


@dataclass(frozen=True)
class HistoryItem:
    """One campaign that concerns a customer: the offer, where it stands, and the calls made."""

    campaign_id: int
    campaign_name: str
    offer_zh: str
    offer_en: str
    state: str
    outcome: str | None
    attempts: int
    at: datetime


def add_offer(session: Session, *, actor: Actor, values: Mapping[str, Any], origin: Origin | None = None) -> Offer:
    """A new offer; ConflictError if its code is taken."""
    code = need_text(values.get("code"), "code")
    if not insert_if_absent(session, Offer, dict(values)):
        raise ConflictError(f"There is an offer {code} already.", "Choose another code.")
    record(session, "offer.created", actor=actor, subject=("offer", code), origin=origin)
    return session.get_one(Offer, code)


def create(
    session: Session,
    *,
    actor: Actor,
    code: str,
    values: Mapping[str, Any],
    offers: Sequence[OfferPlan],
    calls_per_day: Mapping[int, int],
    origin: Origin | None = None,
    now: datetime | None = None,
) -> Campaign:
    """A new campaign in state `draft`.

    Args:
        session: the caller's transaction.
        actor: who defines it; never the one who approves it.
        code: short name, unique.
        values: columns of EDITABLE; at least name, purpose, goal, starts_on, ends_on.
        offers: what is offered.
        calls_per_day: city branch id -> calls a day; the branches that take part.
        origin: where the request came from.
        now: when.

    Raises:
        InvalidError: a value out of range, an unknown offer, or a unit that is no city branch in the actor's scope.
        ConflictError: the code is taken.
    """
    for name in ("name", "purpose", "goal", "starts_on", "ends_on"):
        need_text(values.get(name), name)
    _check(values, {})
    row = {
        "code": need_text(code, "code"),
        "unit_id": actor.unit_id,
        "created_by": actor.username,
        "created_at": now or utc_now(),
        **{name: values[name] for name in EDITABLE if name in values},
    }
    if not insert_if_absent(session, Campaign, row):
        raise ConflictError(f"There is a campaign {code} already.", "Choose another code.")
    campaign = session.scalars(select(Campaign).where(Campaign.code == row["code"])).one()
    _set_offers(session, campaign, offers)
    _set_units(session, campaign, calls_per_day, actor)
    record(session, "campaign.created", actor=actor, subject=("campaign", campaign.id), origin=origin, code=code)
    return campaign


def change(
    session: Session,
    campaign_id: int,
    *,
    actor: Actor,
    values: Mapping[str, Any],
    offers: Sequence[OfferPlan] | None = None,
    calls_per_day: Mapping[int, int] | None = None,
    origin: Origin | None = None,
) -> Campaign:
    """Change a campaign that is not approved yet: its list becomes outdated, its state `draft`, its version one more.

    Raises:
        NotFoundError: no such campaign in the actor's scope.
        ConflictError: it is approved or beyond: reopen it first.
    """
    campaign = get_campaign(session, campaign_id, actor, to_change=True)
    if campaign.state not in ("draft", "built", "reviewed"):
        raise ConflictError(f"The campaign is {campaign.state}.", "Reopen it before changing it.")
    _check(values, {name: getattr(campaign, name) for name in EDITABLE})
    for name in EDITABLE:
        if name in values:
            setattr(campaign, name, values[name])
    if offers is not None:
        _set_offers(session, campaign, offers)
    if calls_per_day is not None:
        _set_units(session, campaign, calls_per_day, actor)
    campaign.state, campaign.version, campaign.reviewed_by = "draft", campaign.version + 1, None
    session.flush()
    fields = sorted(values) + ["offers"] * (offers is not None) + ["units"] * (calls_per_day is not None)
    subject = ("campaign", campaign.id)
    record(session, "campaign.changed", actor=actor, subject=subject, origin=origin, fields=fields)
    return campaign


def step(
    session: Session,
    campaign_id: int,
    name: str,
    *,
    actor: Actor,
    origin: Origin | None = None,
    now: datetime | None = None,
) -> Campaign:
    """Review, approve (a second person), start, reopen or finish a campaign; audited.

    Raises:
        NotFoundError: no such campaign in the actor's scope.
        ConflictError: its state does not allow the step, or its list is of an older version.
        NotAllowedError: the approver made or reviewed it.
    """
    at = now or utc_now()
    campaign = get_campaign(session, campaign_id, actor, to_change=True)
    target = check_step(campaign, name, actor)
    build = last_build(session, campaign.id)
    if name in ("review", "approve") and (build is None or build.state != "done" or build.version != campaign.version):
        raise ConflictError("The list is not of the campaign's present version.", "Build it again.")
    before, campaign.state = campaign.state, target
    if name == "review":
        campaign.reviewed_by = actor.username
    if name == "approve":
        campaign.approved_by, campaign.approved_at = actor.username, at
    if name == "reopen":
        campaign.version, campaign.reviewed_by, campaign.approved_by = campaign.version + 1, None, None
    if name == "finish":
        campaign.finished_at = at
        _close(session, campaign, at)
    session.flush()
    details: dict[str, Any] = {"from": before, "to": target, "version": campaign.version}
    record(session, f"campaign.{name}", actor=actor, subject=("campaign", campaign.id), origin=origin, **details)
    publish(session, "campaign.moved", {"campaign_id": campaign.id, **details})
    return campaign


def _close(session: Session, campaign: Campaign, at: datetime) -> None:
    """What was not called by the end is called no more."""
    session.execute(
        update(CallListEntry)
        .where(CallListEntry.campaign_id == campaign.id, CallListEntry.state.in_(OPEN_STATES))
        .values(state="removed", ended_at=at, reserved_by=None, reserved_until=None, next_attempt_at=None)
        .execution_options(synchronize_session=False)
    )


def effects(session: Session, campaign_id: int, *, actor: Actor, now: datetime | None = None) -> dict[str, int]:
    """How many candidates each gate would take out of a list built now, and how many are `eligible`."""
    campaign = get_campaign(session, campaign_id, actor)
    return count_gates(session, plan_of(session, campaign), now=now or utc_now())


def history(session: Session, caller: Actor, customer_id: int) -> list[HistoryItem]:
    """The campaigns that called or are to call a customer (read within the caller's scope before), newest first.

    The holdout is not told: whoever is never called must be served like everybody else.
    """
    latest = (
        select(CallAttempt.at)
        .where(CallAttempt.entry_id == CallListEntry.id)
        .order_by(CallAttempt.at.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(CallListEntry, Campaign, Offer, latest.label("last"))
        .join(Campaign, Campaign.id == CallListEntry.campaign_id)
        .join(Offer, Offer.code == CallListEntry.offer_code)
        .where(
            CallListEntry.customer_id == customer_id,
            CallListEntry.arm == "call",
            CallListEntry.deleted_at.is_(None),
            Campaign.state.in_(("approved", "running", "finished")),
        )
        .order_by(CallListEntry.listed_at.desc(), CallListEntry.id.desc())
        .limit(20)
    ).all()
    if not caller.is_province:
        mine = set(session.scalars(visible_units(caller)))
        rows = [row for row in rows if row.CallListEntry.unit_id in mine or caller.unit_kind == "county"]
    return [
        HistoryItem(
            campaign_id=row.Campaign.id,
            campaign_name=row.Campaign.name,
            offer_zh=row.Offer.name_zh,
            offer_en=row.Offer.name_en,
            state=row.CallListEntry.state,
            outcome=row.CallListEntry.outcome,
            attempts=row.CallListEntry.attempts,
            at=row.last or row.CallListEntry.listed_at,
        )
        for row in rows
    ]


def _check(values: Mapping[str, Any], present: Mapping[str, Any]) -> None:
    unknown = sorted(set(values) - set(EDITABLE))
    if unknown:
        raise InvalidError(f"A campaign has no {unknown[0]}.", f"It has: {', '.join(EDITABLE)}.")
    for name, (low, high) in _RANGES.items():
        value = values.get(name)
        if value is not None and not low <= value <= high:
            raise InvalidError(f"{name} is {value}.", f"It lies between {low} and {high}.")
    merged: dict[str, Any] = {**present, **values}
    if isinstance(merged.get("starts_on"), date) and isinstance(merged.get("ends_on"), date):
        check_days(merged["starts_on"], merged["ends_on"])
    if merged.get("opens_second", 32400) >= merged.get("closes_second", 72000):
        raise InvalidError("The calling hours end before they begin.", "Name an earlier start.")


def _set_offers(session: Session, campaign: Campaign, offers: Sequence[OfferPlan]) -> None:
    need_some(offers, "offers")
    known = {row.code for row in session.scalars(select(Offer).where(Offer.is_active, Offer.deleted_at.is_(None)))}
    for plan in offers:
        if plan.offer_code not in known:
            raise InvalidError(f"There is no offer {plan.offer_code!r}.", "Take one of the catalogue.")
        if not 0 <= plan.assumed_rate <= 1 or (plan.capacity is not None and plan.capacity < 0):
            raise InvalidError("An offer's rate or capacity is out of range.", "A rate is 0 … 1, a capacity 0 or more.")
    rows = {
        plan.offer_code: {
            "score_model": plan.score_model,
            "assumed_rate": plan.assumed_rate,
            "capacity": plan.capacity,
        }
        for plan in offers
    }
    _replace(session, CampaignOffer, campaign, "offer_code", rows)


def _set_units(session: Session, campaign: Campaign, calls_per_day: Mapping[int, int], actor: Actor) -> None:
    need_some(list(calls_per_day), "units")
    own = select(OrgUnit.id).where(OrgUnit.kind == "city", OrgUnit.id.in_(visible_units(actor)))
    mine = set(session.scalars(own))
    for unit_id, calls in calls_per_day.items():
        if unit_id not in mine:
            raise InvalidError(f"{unit_id} is no city branch of yours.", "Choose a branch from the list.")
        if not 0 <= calls <= 1_000_000:
            raise InvalidError(f"calls_per_day is {calls}.", "It is 0 or more.")
    rows = {unit_id: {"calls_per_day": calls} for unit_id, calls in calls_per_day.items()}
    _replace(session, CampaignUnit, campaign, "unit_id", rows)


def _replace(
    session: Session, model: type[Base], campaign: Campaign, key: str, rows: Mapping[Any, Mapping[str, Any]]
) -> None:
    """Make the campaign's rows of `model` these: changed, added, or buried (captured rows are never deleted)."""
    kind: Any = model
    found: Sequence[Any] = session.scalars(select(kind).where(kind.campaign_id == campaign.id)).all()
    present = {getattr(each, key): each for each in found}
    for name, buried in present.items():
        if name not in rows:
            buried.deleted_at = buried.deleted_at or utc_now()
    for name, values in rows.items():
        row: Any = present.get(name)
        if row is None:
            row = kind(campaign_id=campaign.id, **{key: name})
            session.add(row)
        row.deleted_at = None
        for column, value in values.items():
            setattr(row, column, value)
    session.flush()
