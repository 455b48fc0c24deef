"""Who may be called: one statement that gives each candidate the first gate that they fail, or `eligible`.

The same statement counts the gates before a list is built, builds it, and is asked again for one customer before each
call; so a list and the check at dialling cannot disagree. Every fact is grouped by customer and joined once: on a whole
province that is one pass over each table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    Subquery,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    true,
)

from core.time import to_local
from crm_api.campaigns.models import (
    ELIGIBLE,
    OPEN_STATES,
    CallAttempt,
    CallListEntry,
    Campaign,
    CampaignOffer,
    CampaignUnit,
    Offer,
)
from crm_api.contacts.models import Contact, ServiceType
from crm_api.customers.models import Account, Consent, Customer, CustomerPhone, Subscription
from crm_api.organisation.models import OrgUnit
from crm_api.scores.models import CustomerScore
from crm_api.tickets.models import ENDED_STATES, Ticket

#: Ids of customers to look at: a list, or a statement that selects them; None: every candidate.
Only = Sequence[int] | Select[Any] | None
ADULT_AGE = 18
SEGMENT_MODEL = "segment"
#: Weights that put a customer's phones in order: the primary one first, then mobiles, then the oldest row.
_BY_PRIMARY, _BY_KIND = 4_000_000_000_000_000, 2_000_000_000_000_000


@dataclass(frozen=True)
class Plan:
    """A campaign as the gates need it."""

    campaign: Campaign
    offers: tuple[tuple[CampaignOffer, Offer], ...]
    units: tuple[CampaignUnit, ...]


def assess(
    plan: Plan, *, now: datetime, only: Only = None, audience: bool = True, building: bool = True
) -> Select[Any]:
    """The gate of each candidate.

    Columns: customer_id, city_id, gate, phone_id, and for the n-th offer `fits_n` (0 or 1) and `score_n` (NULL: none).

    Args:
        plan: the campaign with its offers and branches.
        now: the instant at which consents, complaints and contacts are looked at.
        only: nobody but these.
        audience: False leaves out the branches, segments and scores that choose the candidates.
        building: whom this campaign is calling already counts as on a list; False before a call of an open entry.
    """
    campaign = plan.campaign
    consent = _consents(campaign, now, only)
    phone, complaint, suspended = _phones(only), _complaints(only), _suspended(only)
    listed, touched, cooling = (
        _listed(campaign, only, building=building),
        _touched(campaign, now, only),
        _refusals(campaign, now, only),
    )
    taken = _products(plan, only)
    scores = [_score(offer.score_model, f"score_{index}", only) for index, (offer, _) in enumerate(plan.offers)]
    fits = [_fits(offer, taken) for _, offer in plan.offers]
    chances = [
        cast(literal(offer.assumed_rate), Float) if found is None else found.c.score
        for (offer, _), found in zip(plan.offers, scores, strict=True)
    ]
    values = [
        chance * offer.margin_fen - campaign.cost_per_call_fen
        for chance, (_, offer) in zip(chances, plan.offers, strict=True)
    ]
    age = to_local(now).year - Customer.birth_year
    gate = case(
        (Customer.status != "active", "not_active"),
        (and_(Customer.kind == "person", age < ADULT_AGE), "minor"),
        (and_(phone.c.callable == 0, phone.c.blocked > 0), "do_not_call"),
        (or_(consent.c.granted.is_(None), consent.c.refused >= consent.c.granted), "no_consent"),
        (complaint.c.customer_id.is_not(None), "open_complaint"),
        (suspended.c.customer_id.is_not(None), "suspended"),
        (false() if campaign.includes_key_customers else Customer.key_level != "none", "key_customer"),
        (listed.c.customer_id.is_not(None), "on_a_list"),
        (func.coalesce(touched.c.contacts, 0) >= campaign.cap_contacts, "frequency_cap"),
        (cooling.c.customer_id.is_not(None), "cooling_off"),
        (~or_(false(), *fits), "product"),
        (func.coalesce(phone.c.callable, 0) == 0, "no_phone"),
        (
            ~or_(false(), *(and_(fit, chance.is_not(None)) for fit, chance in zip(fits, chances, strict=True))),
            "no_score",
        ),
        (~or_(false(), *(and_(fit, value > 0) for fit, value in zip(fits, values, strict=True))), "no_value"),
        else_=ELIGIBLE,
    )
    city = case((OrgUnit.kind == "county", OrgUnit.parent_id), else_=OrgUnit.id)
    columns: list[Any] = [
        Customer.id.label("customer_id"),
        city.label("city_id"),
        gate.label("gate"),
        (phone.c.best % _BY_KIND).label("phone_id"),
    ]
    for index, (fit, chance) in enumerate(zip(fits, chances, strict=True)):
        columns += [case((fit, 1), else_=0).label(f"fits_{index}"), chance.label(f"score_{index}")]
    statement = select(*columns).select_from(Customer).join(OrgUnit, OrgUnit.id == Customer.unit_id)
    for found in (consent, phone, complaint, suspended, listed, touched, cooling, taken, *scores):
        if found is not None:
            statement = statement.outerjoin(found, found.c.customer_id == Customer.id)
    statement = statement.where(Customer.deleted_at.is_(None), _among(Customer.id, only))
    return _audience(statement, plan, city) if audience else statement


def _audience(statement: Select[Any], plan: Plan, city: ColumnElement[Any]) -> Select[Any]:
    campaign = plan.campaign
    statement = statement.where(city.in_([unit.unit_id for unit in plan.units]))
    if campaign.audience_kind != "any":
        statement = statement.where(Customer.kind == campaign.audience_kind)
    if campaign.segments:
        segment = _rows_of(SEGMENT_MODEL).where(CustomerScore.label.in_(campaign.segments.split())).subquery("segment")
        statement = statement.join(segment, segment.c.customer_id == Customer.id)
    if campaign.score_model and campaign.min_percentile > 0:
        rows = _rows_of(campaign.score_model).where(CustomerScore.percentile >= campaign.min_percentile)
        chosen = rows.subquery("chosen")
        statement = statement.join(chosen, chosen.c.customer_id == Customer.id)
    return statement


def _among(column: Any, only: Only) -> ColumnElement[bool]:
    return true() if only is None else column.in_(only)


def _rows_of(model: str) -> Select[Any]:
    return select(CustomerScore.customer_id).where(CustomerScore.model == model)


def _score(model: str | None, name: str, only: Only) -> Subquery | None:
    if model is None:
        return None
    rows = select(CustomerScore.customer_id, CustomerScore.score).where(
        CustomerScore.model == model, _among(CustomerScore.customer_id, only)
    )
    return rows.subquery(name)


def _consents(campaign: Campaign, now: datetime, only: Only) -> Subquery:
    """When a customer last said yes and last said no; of one day the no counts."""
    day = to_local(now).date()
    never = literal("0001-01-01").cast(Consent.valid_from.type)
    said_no = func.max(case((~Consent.granted, Consent.valid_from)))
    return (
        select(
            Consent.customer_id,
            func.max(case((Consent.granted, Consent.valid_from))).label("granted"),
            func.coalesce(said_no, never).label("refused"),
        )
        .where(
            Consent.channel == "voice",
            Consent.purpose == campaign.purpose,
            Consent.valid_from <= day,
            or_(Consent.valid_to.is_(None), Consent.valid_to >= day),
            Consent.deleted_at.is_(None),
            _among(Consent.customer_id, only),
        )
        .group_by(Consent.customer_id)
        .subquery("consent")
    )


def _phones(only: Only) -> Subquery:
    """A customer's numbers that may be called, the best of them, and those that must not be."""
    own = select(CustomerPhone.e164).where(_among(CustomerPhone.customer_id, only))
    near = true() if only is None else CustomerPhone.e164.in_(own)
    blocked = (
        select(CustomerPhone.e164)
        .where(CustomerPhone.do_not_call, CustomerPhone.deleted_at.is_(None), near)
        .distinct()
        .subquery("blocked")
    )
    wrong = (
        select(CallListEntry.phone_id)
        .where(CallListEntry.outcome == "wrong_number", _among(CallListEntry.customer_id, only))
        .distinct()
        .subquery("wrong")
    )
    usable = and_(blocked.c.e164.is_(None), wrong.c.phone_id.is_(None))
    order = (
        case((CustomerPhone.is_primary, 0), else_=_BY_PRIMARY)
        + case((CustomerPhone.kind == "mobile", 0), else_=_BY_KIND)
        + CustomerPhone.id
    )
    return (
        select(
            CustomerPhone.customer_id,
            func.sum(case((usable, 1), else_=0)).label("callable"),
            func.sum(case((blocked.c.e164.is_not(None), 1), else_=0)).label("blocked"),
            func.min(case((usable, order))).label("best"),
        )
        .outerjoin(blocked, blocked.c.e164 == CustomerPhone.e164)
        .outerjoin(wrong, wrong.c.phone_id == CustomerPhone.id)
        .where(
            CustomerPhone.kind != "fax",
            CustomerPhone.deleted_at.is_(None),
            _among(CustomerPhone.customer_id, only),
        )
        .group_by(CustomerPhone.customer_id)
        .subquery("phone")
    )


def _complaints(only: Only) -> Subquery:
    kinds = select(ServiceType.code).where(or_(ServiceType.code == "complaint", ServiceType.parent_code == "complaint"))
    return (
        select(Ticket.customer_id)
        .where(
            Ticket.service_type_code.in_(kinds),
            Ticket.state.not_in(ENDED_STATES),
            Ticket.customer_id.is_not(None),
            Ticket.deleted_at.is_(None),
            _among(Ticket.customer_id, only),
        )
        .distinct()
        .subquery("complaint")
    )


def _suspended(only: Only) -> Subquery:
    rows = select(Account.customer_id).where(Account.status == "suspended", Account.deleted_at.is_(None))
    return rows.where(_among(Account.customer_id, only)).distinct().subquery("suspended")


def _listed(campaign: Campaign, only: Only, *, building: bool) -> Subquery:
    """Who waits on another campaign's list, and whom this one has called, is calling or has stopped."""
    elsewhere = and_(CallListEntry.campaign_id != campaign.id, CallListEntry.state.in_(OPEN_STATES))
    called = or_(CallListEntry.attempts > 0, CallListEntry.state.in_(("done", "stopped", "reserved")))
    over = true() if building else CallListEntry.state.not_in(OPEN_STATES)
    here = and_(CallListEntry.campaign_id == campaign.id, called, over)
    return (
        select(CallListEntry.customer_id)
        .where(or_(elsewhere, here), CallListEntry.deleted_at.is_(None), _among(CallListEntry.customer_id, only))
        .distinct()
        .subquery("listed")
    )


def _touched(campaign: Campaign, now: datetime, only: Only) -> Subquery:
    """Outgoing contacts of the last days over every channel; this campaign's own calls are counted by its attempts."""
    own = select(CallAttempt.contact_id).where(
        CallAttempt.campaign_id == campaign.id,
        CallAttempt.contact_id.is_not(None),
        _among(CallAttempt.customer_id, only),
    )
    return (
        select(Contact.customer_id, func.count().label("contacts"))
        .where(
            Contact.started_at >= now - timedelta(days=campaign.cap_days),
            Contact.started_at <= now,
            Contact.direction == "out",
            Contact.customer_id.is_not(None),
            Contact.id.not_in(own),
            Contact.deleted_at.is_(None),
            _among(Contact.customer_id, only),
        )
        .group_by(Contact.customer_id)
        .subquery("touched")
    )


def _refusals(campaign: Campaign, now: datetime, only: Only) -> Subquery:
    same = select(Campaign.id).where(Campaign.purpose == campaign.purpose)
    return (
        select(CallAttempt.customer_id)
        .where(
            CallAttempt.outcome == "refused",
            CallAttempt.at >= now - timedelta(days=campaign.cooling_days),
            CallAttempt.campaign_id.in_(same),
            CallAttempt.deleted_at.is_(None),
            _among(CallAttempt.customer_id, only),
        )
        .distinct()
        .subquery("cooling")
    )


def _products(plan: Plan, only: Only) -> Subquery | None:
    """Which of the products that the offers ask about a customer has."""
    asked = {code for _, offer in plan.offers for code in (offer.requires_product, offer.excludes_product) if code}
    if not asked:
        return None
    flags = [func.max(case((Subscription.product_code == code, 1), else_=0)).label(code) for code in sorted(asked)]
    return (
        select(Account.customer_id, *flags)
        .join(Subscription, Subscription.account_id == Account.id)
        .where(
            Subscription.product_code.in_(sorted(asked)),
            Subscription.ended_at.is_(None),
            Subscription.deleted_at.is_(None),
            Account.deleted_at.is_(None),
            _among(Account.customer_id, only),
        )
        .group_by(Account.customer_id)
        .subquery("taken")
    )


def _fits(offer: Offer, taken: Subquery | None) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [true()]
    if taken is not None and offer.requires_product:
        conditions.append(func.coalesce(taken.c[offer.requires_product], 0) == 1)
    if taken is not None and offer.excludes_product:
        conditions.append(func.coalesce(taken.c[offer.excludes_product], 0) == 0)
    return and_(*conditions)
