"""Reading campaigns with what belongs to them, within the reader's scope."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from core.actor import Actor
from crm_api.campaigns.gates import Plan
from crm_api.campaigns.models import (
    CallAttempt,
    CallListEntry,
    Campaign,
    CampaignOffer,
    CampaignUnit,
    ListAssessment,
    ListBuild,
    ListGate,
    Offer,
)
from crm_api.customers.models import Customer
from crm_api.dialect import begin_writing
from crm_api.errors import NotFoundError
from crm_api.identity.scope import scope_rule, scoped, visible_units
from crm_api.organisation.models import CalendarDay, OrgUnit

#: Of those whom a gate took out, so many are listed.
MOST_LEFT_OUT = 500


@scope_rule(Campaign)
def _campaigns(actor: Actor) -> ColumnElement[bool]:
    """A branch sees its own campaigns and those that call its customers."""
    calls_here = select(CampaignUnit.campaign_id).where(CampaignUnit.unit_id.in_(visible_units(actor)))
    return or_(Campaign.unit_id.in_(visible_units(actor)), Campaign.id.in_(calls_here))


@scope_rule(CallListEntry)
def _entries(actor: Actor) -> ColumnElement[bool]:
    return CallListEntry.unit_id.in_(visible_units(actor))


def get_campaign(session: Session, campaign_id: int, actor: Actor, *, to_change: bool = False) -> Campaign:
    """One campaign within the actor's scope; NotFoundError otherwise."""
    statement = scoped(select(Campaign).where(Campaign.id == campaign_id), actor)
    if to_change:
        begin_writing(session)
        statement = statement.with_for_update()
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFoundError(f"There is no campaign {campaign_id}.")
    return found


def campaigns_of(session: Session, actor: Actor, *, states: Sequence[str] = ()) -> Select[Any]:
    """The campaigns that `actor` sees, as a statement to page through."""
    statement = scoped(select(Campaign), actor)
    return statement.where(Campaign.state.in_(states)) if states else statement


def plan_of(session: Session, campaign: Campaign) -> Plan:
    """The campaign with its offers and branches."""
    offers = session.execute(
        select(CampaignOffer, Offer)
        .join(Offer, Offer.code == CampaignOffer.offer_code)
        .where(CampaignOffer.campaign_id == campaign.id, CampaignOffer.deleted_at.is_(None))
        .order_by(CampaignOffer.id)
    ).all()
    units = session.scalars(
        select(CampaignUnit)
        .join(OrgUnit, OrgUnit.id == CampaignUnit.unit_id)
        .where(CampaignUnit.campaign_id == campaign.id, CampaignUnit.deleted_at.is_(None))
        .order_by(OrgUnit.sort_order, OrgUnit.id)
    ).all()
    return Plan(campaign, tuple((row.CampaignOffer, row.Offer) for row in offers), tuple(units))


def holidays_between(session: Session, first: date, last: date) -> frozenset[date]:
    """State Council holidays: nobody is called then."""
    rows = select(CalendarDay.day).where(
        CalendarDay.calendar_code == "office",
        CalendarDay.day_kind == "holiday",
        CalendarDay.day.between(first, last),
        CalendarDay.deleted_at.is_(None),
    )
    return frozenset(session.scalars(rows))


def last_build(session: Session, campaign_id: int) -> ListBuild | None:
    """The newest build of a campaign's list."""
    statement = select(ListBuild).where(ListBuild.campaign_id == campaign_id).order_by(ListBuild.id.desc()).limit(1)
    return session.scalars(statement).one_or_none()


def gates_of(session: Session, campaign: Campaign) -> dict[str, int]:
    """What each gate took out of the newest list, in the gates' order; empty before the first build."""
    newest = select(func.max(ListGate.version)).where(ListGate.campaign_id == campaign.id).scalar_subquery()
    rows = session.execute(
        select(ListGate.gate, ListGate.customers)
        .where(ListGate.campaign_id == campaign.id, ListGate.version == newest)
        .order_by(ListGate.position)
    )
    return {row[0]: row[1] for row in rows}


def progress(session: Session, campaign_id: int) -> dict[str, int]:
    """Entries by state; `held` is the holdout."""
    rows = session.execute(
        select(CallListEntry.state, func.count())
        .where(CallListEntry.campaign_id == campaign_id, CallListEntry.deleted_at.is_(None))
        .group_by(CallListEntry.state)
    )
    return {row[0]: row[1] for row in rows}


def outcomes(session: Session, campaign_id: int) -> dict[str, int]:
    """Attempts by what came of them."""
    rows = session.execute(
        select(CallAttempt.outcome, func.count())
        .where(CallAttempt.campaign_id == campaign_id, CallAttempt.deleted_at.is_(None))
        .group_by(CallAttempt.outcome)
    )
    return {row[0]: row[1] for row in rows}


def gate_of(session: Session, campaign_id: int, customer_id: int) -> str | None:
    """The first gate that a customer failed at the last build; None: they were no candidate."""
    found = session.get(ListAssessment, (campaign_id, customer_id))
    return found.gate if found else None


def left_out(session: Session, campaign: Campaign, gate: str, actor: Actor) -> tuple[int, list[tuple[int, str | None]]]:
    """How many customers of the actor's scope `gate` took out of the newest list; the 500 newest as (id, city code)."""
    branch, city = aliased(OrgUnit), aliased(OrgUnit)
    found = (
        select(ListAssessment.customer_id, func.coalesce(city.code, branch.code).label("city_code"))
        .join(Customer, Customer.id == ListAssessment.customer_id)
        .outerjoin(branch, branch.id == Customer.unit_id)
        .outerjoin(city, (city.id == branch.parent_id) & (branch.kind == "county"))
        .where(ListAssessment.campaign_id == campaign.id, ListAssessment.gate == gate)
    )
    if not actor.is_province:
        found = found.where(Customer.unit_id.in_(visible_units(actor)))
    total = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    newest = session.execute(found.order_by(ListAssessment.customer_id.desc()).limit(MOST_LEFT_OUT))
    return total, [(row.customer_id, row.city_code) for row in newest]
