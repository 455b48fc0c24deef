"""Finding customers as one types: number in any spelling, account, smart card, code, name, pinyin, address.

Each way of matching asks its own index for a bounded number of candidates, key customers first; what remains is ranked
by how well it matches, then by key level. A number that several customers share is offered whole, never guessed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.actor import Actor
from crm_api.customers import numbers
from crm_api.customers.models import (
    KEY_LEVELS,
    Account,
    Customer,
    CustomerEmail,
    CustomerPhone,
    CustomerSearchKey,
    Subscription,
)
from crm_api.customers.search_keys import normal_name
from crm_api.dialect import contains, starts_with
from crm_api.identity.scope import scoped, visible_units
from crm_api.organisation.models import OrgUnit

Reason = Literal["phone", "account", "smart_card", "code", "email", "name", "initials", "pinyin", "address"]
_CANDIDATES = 60
_KEYS = ("phone", "account", "smart_card", "code", "email")
#: Shorter digits match half the province; shorter addresses have no trigram.
_SHORTEST_PREFIX = 4
_SHORTEST_ADDRESS = 3


@dataclass(frozen=True)
class Match:
    """A customer found, by what, and how well (lower is better: 0 exact, 1 begins with, 2 contains)."""

    customer: Customer
    reason: Reason
    quality: int


Found = tuple[int, Reason, int]


def search(session: Session, actor: Actor, text: str, *, limit: int = 20) -> list[Match]:
    """Customers within the actor's scope that `text` may mean, best first, at most `limit`."""
    wanted = text.strip()
    if not wanted:
        return []
    found: dict[int, Found] = {}
    for ways in _ways(session, actor, wanted):
        for customer_id, reason, quality in ways:
            if customer_id not in found or quality < found[customer_id][2]:
                found[customer_id] = (customer_id, reason, quality)
        # Whose whole number was typed is found; what begins like it would only be noise.
        whole = any(reason in _KEYS and quality == 0 for _, reason, quality in found.values())
        if whole or len(found) >= _CANDIDATES:
            break
    return _ranked(session, actor, list(found.values()), limit)


def by_number(session: Session, actor: Actor, number: str, *, limit: int = 20) -> list[Match]:
    """Customers who have this number, in any spelling, ranked; several are all offered."""
    spellings = numbers.candidates(number, area_codes(session, actor))
    return _ranked(session, actor, list(_by_phone(session, spellings)), limit)


def by_email(session: Session, actor: Actor, address: str) -> list[Match]:
    """Customers who have this e-mail address."""
    return _ranked(session, actor, list(_by_email(session, address)), 20)


def area_codes(session: Session, actor: Actor) -> list[str]:
    """Area codes of the province's cities, the actor's own first."""
    rows = session.execute(
        select(OrgUnit.id, OrgUnit.area_code).where(OrgUnit.kind == "city").order_by(OrgUnit.sort_order)
    )
    known = [(unit_id, code) for unit_id, code in rows if code]
    return list(dict.fromkeys(code for _, code in sorted(known, key=lambda row: row[0] != actor.city_unit_id)))


def _ways(session: Session, actor: Actor, text: str) -> Iterator[Iterator[Found]]:
    if numbers.looks_like_number(text):
        digits = numbers.clean(text)
        spellings = numbers.candidates(digits, area_codes(session, actor))
        yield chain(_by_phone(session, spellings), _by_key(session, digits))
        yield _by_key_prefix(session, actor, digits)
        if len(digits) >= _SHORTEST_PREFIX:
            yield _by_phone_prefix(session, actor, digits)
        return
    if "@" in text:
        yield _by_email(session, text)
    if text.isascii() and any(character.isdigit() for character in text):
        yield _by_key(session, "".join(text.split()))
        yield _by_key_prefix(session, actor, "".join(text.split()))
    yield from _by_words(session, actor, text.split())


def _by_phone(session: Session, spellings: Sequence[str]) -> Iterator[Found]:
    statement = select(CustomerPhone.customer_id, CustomerPhone.e164).where(
        CustomerPhone.e164.in_(spellings), CustomerPhone.deleted_at.is_(None)
    )
    for customer_id, _ in session.execute(statement.limit(_CANDIDATES)):
        yield customer_id, "phone", 0


def _by_email(session: Session, address: str) -> Iterator[Found]:
    statement = select(CustomerEmail.customer_id).where(
        CustomerEmail.address == address.strip().lower(), CustomerEmail.deleted_at.is_(None)
    )
    for customer_id in session.scalars(statement.limit(_CANDIDATES)):
        yield customer_id, "email", 0


def _by_phone_prefix(session: Session, actor: Actor, digits: str) -> Iterator[Found]:
    for prefix in numbers.national_prefixes(digits):
        statement = (
            select(CustomerPhone.customer_id)
            .join(Customer, Customer.id == CustomerPhone.customer_id)
            .where(starts_with(session, CustomerPhone.e164, prefix), CustomerPhone.deleted_at.is_(None))
        )
        for customer_id in session.scalars(_mine(statement, Customer.unit_id, actor).limit(_CANDIDATES)):
            yield customer_id, "phone", 1


def _keys() -> tuple[tuple[Reason, Select[Any], InstrumentedAttribute[Any]], ...]:
    own = select(Customer.id)
    by_account = own.join(Account, Account.customer_id == Customer.id)
    by_card = by_account.join(Subscription, Subscription.account_id == Account.id)
    return (
        ("account", by_account, Account.number),
        ("smart_card", by_card, Subscription.smart_card),
        ("code", own, Customer.code),
    )


def _spellings(text: str) -> list[str]:
    return sorted({text, text.upper(), text.lower()})


def _by_key(session: Session, text: str) -> Iterator[Found]:
    """Whose account number, smart card or customer code this is."""
    for reason, statement, column in _keys():
        for customer_id in session.scalars(statement.where(column.in_(_spellings(text))).limit(_CANDIDATES)):
            yield customer_id, reason, 0


def _by_key_prefix(session: Session, actor: Actor, text: str) -> Iterator[Found]:
    if len(text) < _SHORTEST_PREFIX:
        return
    for reason, statement, column in _keys():
        for spelling in _spellings(text):
            matching = _mine(statement, Customer.unit_id, actor).where(starts_with(session, column, spelling))
            for customer_id in session.scalars(matching.limit(_CANDIDATES // 2)):
                yield customer_id, reason, 1


def _by_words(session: Session, actor: Actor, words: Sequence[str]) -> Iterator[Iterator[Found]]:
    first, *rest = [normal_name(word) for word in words]
    key = CustomerSearchKey
    along = [contains(key.address, word) for word in rest]
    whole = "".join([first, *rest])
    yield _by_search_key(session, actor, [key.name == whole], "name", 0)
    if rest:
        yield _by_search_key(session, actor, [starts_with(session, key.name, first), *along], "name", 1)
    yield _by_search_key(session, actor, [starts_with(session, key.name, whole)], "name", 1)
    if whole.isascii():
        yield _by_search_key(session, actor, [key.initials == whole], "initials", 1)
        yield _by_search_key(session, actor, [starts_with(session, key.initials, whole)], "initials", 2)
        yield _by_search_key(session, actor, [starts_with(session, key.pinyin, whole)], "pinyin", 1)
    if len(first) >= _SHORTEST_ADDRESS:
        yield _by_search_key(session, actor, [contains(key.address, first), *along], "address", 2)


def _by_search_key(
    session: Session, actor: Actor, conditions: Sequence[ColumnElement[bool]], reason: Reason, quality: int
) -> Iterator[Found]:
    statement = _mine(select(CustomerSearchKey.customer_id).where(*conditions), CustomerSearchKey.unit_id, actor)
    # Key customers are few: asked for separately they are never lost among the many of a common name.
    # The bound stands in the statement itself, so that their own (partial) indexes serve it.
    for only_key in (CustomerSearchKey.key_rank > literal_column("0"), CustomerSearchKey.key_rank == 0):
        for customer_id in session.scalars(statement.where(only_key).limit(_CANDIDATES)):
            yield customer_id, reason, quality


def _mine(statement: Select[Any], unit: Any, actor: Actor) -> Select[Any]:
    return statement if actor.is_province else statement.where(unit.in_(visible_units(actor)))


def _ranked(session: Session, actor: Actor, found: Sequence[Found], limit: int) -> list[Match]:
    if not found:
        return []
    by_id = {customer_id: (reason, quality) for customer_id, reason, quality in reversed(found)}
    statement = scoped(select(Customer).where(Customer.id.in_(by_id)), actor)
    matches = [Match(customer, *by_id[customer.id]) for customer in session.scalars(statement)]

    def rank(match: Match) -> tuple[int, bool, int, str, int]:
        customer = match.customer
        level = KEY_LEVELS.index(customer.key_level)
        return match.quality, customer.status != "active", -level, customer.name or "", customer.id

    return sorted(matches, key=rank)[:limit]
