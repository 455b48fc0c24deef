"""Who may be called: one statement that gives each candidate the first gate that they fail, one that prices offers.

The same statements count the gates before a list is built, build it, and are asked again for one customer before each
call; so a list and the check at dialling cannot disagree. What protects somebody is grouped by customer and joined
once (on a whole province one pass over each table); offers are looked up only for those whom nothing protects.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    FromClause,
    ScalarSelect,
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
from sqlalchemy.orm import aliased

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


def protections(
    plan: Plan, *, now: datetime, only: Only = None, audience: bool = True, building: bool = True
) -> Select[Any]:
    """What forbids calling each candidate whatever the offer.

    Columns: customer_id, city_id, gate (`eligible`: nothing does).

    Args:
        plan: the campaign with its offers and branches.
        now: the instant at which consents, complaints and contacts are looked at.
        only: nobody but these.
        audience: False leaves out the branches, segments and scores that choose the candidates.
        building: whom this campaign is calling already counts as on a list; False before a call of an open entry.
    """
    campaign = plan.campaign
    blocked, consent = _with_blocked_numbers(only), _consents(campaign, now, only)
    complaint, suspended = _complaints(only), _suspended(only)
    listed, touched, cooling = (
        _listed(campaign, only, building=building),
        _touched(campaign, now, only),
        _refusals(campaign, now, only),
    )
    age = to_local(now).year - Customer.birth_year
    none_callable = best_phone(Customer.id, only).is_(None)
    gate = case(
        (Customer.status != "active", "not_active"),
        (and_(Customer.kind == "person", age < ADULT_AGE), "minor"),
        (and_(blocked.c.customer_id.is_not(None), none_callable), "do_not_call"),
        (consent.c.customer_id.is_(None), "no_consent"),
        (complaint.c.customer_id.is_not(None), "open_complaint"),
        (suspended.c.customer_id.is_not(None), "suspended"),
        (false() if campaign.includes_key_customers else Customer.key_level != "none", "key_customer"),
        (listed.c.customer_id.is_not(None), "on_a_list"),
        (touched.c.customer_id.is_not(None), "frequency_cap"),
        (cooling.c.customer_id.is_not(None), "cooling_off"),
        else_=ELIGIBLE,
    )
    city = case((OrgUnit.kind == "county", OrgUnit.parent_id), else_=OrgUnit.id)
    columns: list[Any] = [Customer.id.label("customer_id"), city.label("city_id"), gate.label("gate")]
    statement = select(*columns).select_from(Customer).join(OrgUnit, OrgUnit.id == Customer.unit_id)
    for found in (blocked, consent, complaint, suspended, listed, touched, cooling):
        statement = statement.outerjoin(found, found.c.customer_id == Customer.id)
    statement = statement.where(Customer.deleted_at.is_(None), _among(Customer.id, only))
    return _audience(statement, plan, city) if audience else statement


def offered(plan: Plan, passed: FromClause, *, only: Only = None) -> Select[Any]:
    """What could be offered to those of `passed` (customer_id, city_id, gate) whom nothing protects, by customer.

    Columns: customer_id, city_id, phone_id (NULL: no usable number), products (bits: `products_of` the plan that they
    have; NULL: none), then for the n-th offer `score_n` (NULL: none).
    """
    columns: list[Any] = [
        passed.c.customer_id,
        passed.c.city_id,
        best_phone(passed.c.customer_id, only).label("phone_id"),
        _had(products_of(plan), passed.c.customer_id).label("products"),
    ]
    source: FromClause = passed
    for index, (offer, _) in enumerate(plan.offers):
        if offer.score_model is None:
            columns.append(cast(literal(offer.assumed_rate), Float).label(f"score_{index}"))
            continue
        scored = aliased(CustomerScore)
        theirs = and_(scored.customer_id == passed.c.customer_id, scored.model == offer.score_model)
        source = source.outerjoin(scored, theirs)
        columns.append(scored.score.label(f"score_{index}"))
    statement = select(*columns).select_from(source).where(passed.c.gate == ELIGIBLE)
    return statement.order_by(passed.c.customer_id)


def products_of(plan: Plan) -> tuple[str, ...]:
    """The products that decide whom the offers suit; the n-th is the bit 2^n."""
    named = {code for _, kind in plan.offers for code in (kind.requires_product, kind.excludes_product) if code}
    return tuple(sorted(named))


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


def _consents(campaign: Campaign, now: datetime, only: Only) -> Subquery:
    """Who last said yes after they last said no; of one day the no counts."""
    day = to_local(now).date()
    never = literal("0001-01-01").cast(Consent.valid_from.type)
    said_yes = func.max(case((Consent.granted, Consent.valid_from)))
    said_no = func.max(case((~Consent.granted, Consent.valid_from)))
    return (
        select(Consent.customer_id)
        .where(
            Consent.channel == "voice",
            Consent.purpose == campaign.purpose,
            Consent.valid_from <= day,
            or_(Consent.valid_to.is_(None), Consent.valid_to >= day),
            Consent.deleted_at.is_(None),
            _among(Consent.customer_id, only),
        )
        .group_by(Consent.customer_id)
        .having(said_yes > func.coalesce(said_no, never))
        .subquery("consent")
    )


def _blocked_numbers(only: Only) -> Select[Any]:
    """Numbers that anybody asked not to be called; of `only`, those that they have."""
    closed = aliased(CustomerPhone)
    own = select(CustomerPhone.e164).where(_among(CustomerPhone.customer_id, only))
    near = true() if only is None else closed.e164.in_(own)
    return select(closed.e164).where(closed.do_not_call, closed.deleted_at.is_(None), near)


def _with_blocked_numbers(only: Only) -> Subquery:
    rows = select(CustomerPhone.customer_id).where(
        CustomerPhone.e164.in_(_blocked_numbers(only)),
        CustomerPhone.kind != "fax",
        CustomerPhone.deleted_at.is_(None),
        _among(CustomerPhone.customer_id, only),
    )
    return rows.distinct().subquery("blocked")


def best_phone(customer_id: Any, only: Only = None) -> ScalarSelect[Any]:
    """The number to call a customer on: no fax, none that is closed or was wrong; the primary first, then mobiles."""
    phone = aliased(CustomerPhone)
    wrong = select(CallListEntry.phone_id).where(
        CallListEntry.outcome == "wrong_number", _among(CallListEntry.customer_id, only)
    )
    order = (
        case((phone.is_primary, 0), else_=_BY_PRIMARY) + case((phone.kind == "mobile", 0), else_=_BY_KIND) + phone.id
    )
    return (
        select(func.min(order) % _BY_KIND)
        .where(
            phone.customer_id == customer_id,
            phone.kind != "fax",
            phone.deleted_at.is_(None),
            phone.e164.not_in(_blocked_numbers(only)),
            phone.id.not_in(wrong),
        )
        .scalar_subquery()
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
    """Who had their share of outgoing contacts lately, over every channel; this campaign's calls count as attempts."""
    own = select(CallAttempt.contact_id).where(
        CallAttempt.campaign_id == campaign.id,
        CallAttempt.contact_id.is_not(None),
        _among(CallAttempt.customer_id, only),
    )
    return (
        select(Contact.customer_id)
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
        .having(func.count() >= campaign.cap_contacts)
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


def _had(products: Sequence[str], customer_id: Any) -> ColumnElement[Any]:
    """Which of `products` the customer has, as bits: one look at their subscriptions for all offers."""
    if not products:
        return literal(0)
    bits = [func.max(case((Subscription.product_code == code, 1 << bit), else_=0)) for bit, code in enumerate(products)]
    return (
        select(reduce(add, bits))
        .select_from(Account)
        .join(Subscription, Subscription.account_id == Account.id)
        .where(
            Account.customer_id == customer_id,
            Account.deleted_at.is_(None),
            Subscription.product_code.in_(products),
            Subscription.ended_at.is_(None),
            Subscription.deleted_at.is_(None),
        )
        .scalar_subquery()
    )
