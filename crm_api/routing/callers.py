"""Who calls: the caller's number looked up and analysed, for the IVR. A few reads by index, nothing written."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import phonenumbers
from phonenumbers import geocoder
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.time import utc_now
from crm_api.capture.models import Callback
from crm_api.customers.models import KEY_LEVELS, Account, Customer, CustomerPhone, Subscription
from crm_api.customers.numbers import candidates
from crm_api.organisation.models import OrgUnit
from crm_api.routing.outbound_models import OutboundCall
from crm_api.tickets.models import ENDED_STATES, Ticket

#: A customer who calls this long before or after the promised time is the one who was promised it.
SCHEDULED_WITHIN = timedelta(minutes=30)
_OVER = (*ENDED_STATES, "resolved", "in_review", "follow_up")


@dataclass(frozen=True)
class Outage:
    """A known outage of the caller's area."""

    ticket_id: int
    place_zh: str
    place_en: str


@dataclass(frozen=True)
class Caller:
    """What is known of a caller; money in fen.

    `customer_id` is set when the number is exactly one customer's. `reasons`: why they go first (big_customer,
    long_distance, scheduled). `city_code` is the number's city, or the customer's.
    """

    number: str
    e164: str | None = None
    customer_id: int | None = None
    customers: int = 0
    key_level: str = "none"
    city_code: str | None = None
    reasons: tuple[str, ...] = ()
    outage: Outage | None = None
    balance_fen: int | None = None
    monthly_fee_fen: int | None = None


@dataclass(frozen=True)
class Fee:
    """What an account owes or has, in fen."""

    balance_fen: int
    monthly_fee_fen: int


@dataclass(frozen=True)
class _City:
    id: int
    code: str
    name_zh: str
    area_code: str


def _cities(session: Session) -> list[_City]:
    rows = session.execute(
        select(OrgUnit.id, OrgUnit.code, OrgUnit.name_zh, OrgUnit.area_code)
        .where(OrgUnit.kind == "city", OrgUnit.deleted_at.is_(None))
        .order_by(OrgUnit.sort_order)
    )
    return [_City(key, code, name, area or "") for key, code, name, area in rows]


@lru_cache(4096)
def place_of(e164: str) -> str:
    """Where a number belongs by its prefix, in Chinese (陕西省西安市); empty if that is not known."""
    try:
        return str(geocoder.description_for_number(phonenumbers.parse(e164), "zh"))
    except phonenumbers.NumberParseException:
        return ""


def analyse_prefix(e164: str | None, cities: list[_City], *, province: str = "陕西") -> tuple[str | None, bool]:
    """(city code, is long-distance): a landline by its area code, a mobile by its prefix; unknown is not distant."""
    if e164 is None:
        return None, False
    if not e164.startswith("+86"):
        return None, True
    for city in cities:
        if city.area_code and e164.startswith("+86" + city.area_code.removeprefix("0")):
            return city.code, False
    place = place_of(e164)
    named = [city.code for city in cities if city.name_zh and city.name_zh in place]
    if named:
        return named[0], False
    return None, bool(place) and province not in place


def city_of_called(called: str, cities: list[_City]) -> str | None:
    """The city whose area code stands before the service number that was dialled (02996766)."""
    return next((one.code for one in cities if one.area_code and called.startswith(one.area_code)), None)


def look_up(session: Session, number: str, *, called: str = "", now: datetime | None = None) -> Caller:
    """What is known of the caller of `number` (any spelling; empty: withheld) who dialled `called`."""
    at = now or utc_now()
    cities = _cities(session)
    dialled_city = city_of_called(called, cities)
    first = next((city.area_code for city in cities if city.code == dialled_city), None)
    areas = sorted((city.area_code for city in cities if city.area_code), key=lambda code: code != first)
    spellings = candidates(number, areas)
    found = _customers(session, spellings)
    e164 = _known_spelling(spellings, found)
    city, distant = analyse_prefix(e164, cities)
    customer = next(iter(found.values()))[0] if len(found) == 1 else None
    level = max((one.key_level for one, _ in found.values()), key=KEY_LEVELS.index, default="none")
    reasons = [
        *(["big_customer"] if level != "none" else []),
        *(["long_distance"] if distant else []),
        *(["scheduled"] if _is_expected(session, list(found), spellings, at) else []),
    ]
    unit = customer.unit_id if customer else None
    fee = fee_of_customer(session, customer.id) if customer else None
    return Caller(
        number=number,
        e164=e164,
        customer_id=customer.id if customer else None,
        customers=len(found),
        key_level=level,
        city_code=_city_of_unit(session, unit) or dialled_city or city,
        reasons=tuple(reasons),
        outage=_outage(session, customer, dialled_city or city),
        balance_fen=fee.balance_fen if fee else None,
        monthly_fee_fen=fee.monthly_fee_fen if fee else None,
    )


def _customers(session: Session, spellings: list[str]) -> dict[int, tuple[Customer, str]]:
    if not spellings:
        return {}
    rows = session.execute(
        select(Customer, CustomerPhone.e164)
        .join(CustomerPhone, CustomerPhone.customer_id == Customer.id)
        .where(CustomerPhone.e164.in_(spellings), CustomerPhone.deleted_at.is_(None), Customer.deleted_at.is_(None))
        .order_by(Customer.id)
        .limit(20)
    )
    return {customer.id: (customer, e164) for customer, e164 in rows}


def _known_spelling(spellings: list[str], found: dict[int, tuple[Customer, str]]) -> str | None:
    known = {e164 for _, e164 in found.values()}
    return next((one for one in spellings if one in known), spellings[0] if spellings else None)


def _is_expected(session: Session, customers: list[int], spellings: list[str], at: datetime) -> bool:
    """Whether this caller was promised a call about now and calls first."""
    window = at - SCHEDULED_WITHIN, at + SCHEDULED_WITHIN
    promised = select(Callback.id).where(
        Callback.done_at.is_(None),
        Callback.due_at.between(*window),
        or_(Callback.customer_id.in_(customers), Callback.number.in_(spellings)),
    )
    asked = select(OutboundCall.id).where(
        OutboundCall.state != "done",
        OutboundCall.due_at.between(*window),
        or_(OutboundCall.customer_id.in_(customers), OutboundCall.number.in_(spellings)),
    )
    return any(session.scalar(one.limit(1)) is not None for one in (promised, asked))


def _city_of_unit(session: Session, unit_id: int | None) -> str | None:
    unit = session.get(OrgUnit, unit_id) if unit_id else None
    if unit is not None and unit.kind == "county" and unit.parent_id:
        unit = session.get(OrgUnit, unit.parent_id)
    return unit.code if unit is not None and unit.kind == "city" else None


def _outage(session: Session, customer: Customer | None, city_code: str | None) -> Outage | None:
    """The newest open outage of the customer's township or branch; for a stranger, of the number's whole city."""
    here = select(Ticket.id, OrgUnit.name_zh, OrgUnit.name_en).join(OrgUnit, OrgUnit.id == Ticket.unit_id)
    open_ones = here.where(
        Ticket.kind == "outage", Ticket.state.not_in(_OVER), Ticket.deleted_at.is_(None), Ticket.parent_id.is_(None)
    )
    if customer is not None:
        units = [customer.unit_id]
        parent = select(OrgUnit.parent_id).where(OrgUnit.id == customer.unit_id)
        units.append(session.scalar(parent))
        wanted = open_ones.where(
            Ticket.unit_id.in_([one for one in units if one is not None]),
            or_(Ticket.township_id.is_(None), Ticket.township_id == customer.township_id),
        )
    elif city_code is not None:
        wanted = open_ones.where(OrgUnit.code == city_code, Ticket.township_id.is_(None))
    else:
        return None
    row = session.execute(wanted.order_by(Ticket.created_at.desc()).limit(1)).first()
    return Outage(*row) if row else None


def fee_of_customer(session: Session, customer_id: int) -> Fee | None:
    """Balance and monthly fee over the customer's open accounts; None without one."""
    accounts = session.execute(
        select(Account.id, Account.balance_fen).where(
            Account.customer_id == customer_id, Account.status != "closed", Account.deleted_at.is_(None)
        )
    ).all()
    return _fee(session, {row[0]: row[1] for row in accounts})


def fee_of_account(session: Session, number: str) -> Fee | None:
    """Balance and monthly fee of the account with this number; None if there is none."""
    row = session.execute(
        select(Account.id, Account.balance_fen).where(Account.number == number, Account.deleted_at.is_(None))
    ).first()
    return _fee(session, {row[0]: row[1]}) if row else None


def _fee(session: Session, balances: dict[int, int]) -> Fee | None:
    if not balances:
        return None
    monthly = session.scalars(
        select(Subscription.monthly_fee_fen).where(
            Subscription.account_id.in_(balances), Subscription.ended_at.is_(None), Subscription.deleted_at.is_(None)
        )
    )
    return Fee(sum(balances.values()), sum(monthly))
