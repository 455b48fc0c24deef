"""Reference rows for forms and lists: channels, service and complaint types, products, units."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from crm_api.contacts.models import Channel, ServiceType
from crm_api.customers.models import Product
from crm_api.organisation.models import OrgUnit
from crm_api.tickets.models import ComplaintType


@dataclass(frozen=True)
class ComplaintGroup:
    """The leaves below one node of the second level, with the nodes above them."""

    above: tuple[ComplaintType, ...]
    leaves: tuple[ComplaintType, ...]


def channels(session: Session) -> Sequence[Channel]:
    """Channels in their order."""
    return session.scalars(select(Channel).where(Channel.deleted_at.is_(None)).order_by(Channel.sort_order)).all()


def service_types(session: Session) -> Sequence[ServiceType]:
    """Our own service types; a foreign centre's, which hang below them, are left out."""
    own = select(ServiceType).where(ServiceType.deleted_at.is_(None), ServiceType.parent_code.is_(None))
    return session.scalars(own.order_by(ServiceType.sort_order)).all()


def products(session: Session) -> Sequence[Product]:
    """Products in their order."""
    return session.scalars(select(Product).where(Product.deleted_at.is_(None)).order_by(Product.sort_order)).all()


def complaint_groups(session: Session) -> list[ComplaintGroup]:
    """The leaves of the complaint tree, grouped for a list box."""
    order = (ComplaintType.level, ComplaintType.sort_order)
    rows = session.scalars(select(ComplaintType).where(ComplaintType.deleted_at.is_(None)).order_by(*order)).all()
    by_code = {row.code: row for row in rows}
    found = []
    for top in (row for row in rows if row.level == 1):
        for middle in (row for row in rows if row.parent_code == top.code):
            leaves = tuple(row for row in rows if row.parent_code == middle.code)
            found.append(ComplaintGroup((top, by_code[middle.code]), leaves))
    return found


def cities(session: Session) -> Sequence[OrgUnit]:
    """The city branches in their order."""
    return session.scalars(select(OrgUnit).where(OrgUnit.kind == "city").order_by(OrgUnit.sort_order)).all()


def counties(session: Session, city_id: int) -> Sequence[OrgUnit]:
    """The counties of a city branch."""
    statement = select(OrgUnit).where(OrgUnit.kind == "county", OrgUnit.parent_id == city_id)
    return session.scalars(statement.order_by(OrgUnit.sort_order)).all()


def all_units(session: Session) -> Sequence[OrgUnit]:
    """Every unit of the tree."""
    return session.scalars(select(OrgUnit).order_by(OrgUnit.sort_order)).all()


def own_branches(session: Session, actor: Actor) -> Sequence[OrgUnit]:
    """The branches that `actor` may name on a new ticket: all for the province, else their own."""
    if actor.is_province:
        return cities(session)
    return session.scalars(select(OrgUnit).where(OrgUnit.id == actor.unit_id)).all()


def units(session: Session, ids: Iterable[int | None]) -> dict[int, OrgUnit]:
    """The units of those ids."""
    wanted = {each for each in ids if each is not None}
    return {unit.id: unit for unit in session.scalars(select(OrgUnit).where(OrgUnit.id.in_(wanted)))} if wanted else {}


def city_above(session: Session, unit_id: int | None) -> int | None:
    """The city branch that a unit is or belongs to; None for the province or nothing."""
    unit = session.get(OrgUnit, unit_id) if unit_id is not None else None
    if unit is None or unit.kind == "province":
        return None
    return unit.id if unit.kind == "city" else unit.parent_id
