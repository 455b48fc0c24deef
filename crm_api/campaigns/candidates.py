"""Candidates of a campaign: who passes every gate, what each offer is worth to call them, who shares a number."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, Column, MetaData, Select, String, Table, bindparam, func, insert, select
from sqlalchemy.orm import Session, aliased

from core.database import Key
from crm_api.campaigns.gates import Only, Plan, offered, products_of, protections
from crm_api.campaigns.models import ELIGIBLE, ListAssessment, Offer
from crm_api.campaigns.ports import Floats, Ints
from crm_api.campaigns.settings import campaign_settings
from crm_api.customers.models import Customer, CustomerPhone
from crm_api.dialect import is_postgresql, read_widely

#: What one account's owner is protected by protects the number: whoever else has it is not called either.
RESTRICTIVE = frozenset(
    {"do_not_call", "no_consent", "open_complaint", "suspended", "on_a_list", "frequency_cap", "cooling_off"}
)
#: Gates about the offers, in their order; the last two are about worth and do not forbid a call that was promised.
_OF_OFFERS = np.array(["product", "no_phone", "no_score", "no_value", ELIGIBLE])
_WORTH = frozenset({ELIGIBLE, "no_score", "no_value"})


@dataclass(frozen=True)
class Pool:
    """The candidates who passed every gate, one a person, in the order of their ids; and what the gates took out.

    Attributes:
        customers, cities, phones: (n,) ids.
        scores: (n, offers) probability or effect; NaN where the offer is not for them or nothing scores them.
        values: (n, offers) fen of a call; -inf there.
        persons: (n,) what a person is drawn for the holdout by: the lowest id of those who share a number.
        gates: gate -> candidates that it took out first; with `eligible`.
    """

    customers: Ints
    cities: Ints
    phones: Ints
    scores: Floats
    values: Floats
    persons: Ints
    gates: dict[str, int]


def drawn(persons: Ints, salt: str, percent: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether each person falls into the share `percent` of the holdout of that salt; the same on every machine."""
    return np.asarray(hashed(persons, salt) < percent / 100.0)


def hashed(persons: Ints, salt: str) -> Floats:
    """A number of [0, 1) for each person and salt, the same on every machine."""
    start = int.from_bytes(hashlib.blake2b(salt.encode(), digest_size=8).digest(), "big")
    mixed = persons.astype(np.uint64) ^ np.uint64(start)
    # The finaliser of splitmix64 (Steele, Lea, Flood 2014): every bit of the id moves every bit of the number.
    with np.errstate(over="ignore"):
        mixed = (mixed + np.uint64(0x9E3779B97F4A7C15)) & np.uint64(0xFFFFFFFFFFFFFFFF)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) / 2.0**53)


def standings_of(session: Session, plan: Plan, customer_ids: Sequence[int], *, now: datetime) -> dict[int, str | None]:
    """The gate that forbids calling each customer now, theirs or of whoever shares their number; None: none does."""
    mine, theirs = aliased(CustomerPhone), aliased(CustomerPhone)
    shared = (
        select(mine.customer_id, theirs.customer_id)
        .join(theirs, mine.e164 == theirs.e164)
        .where(
            mine.customer_id.in_(customer_ids),
            theirs.customer_id != mine.customer_id,
            mine.deleted_at.is_(None),
            theirs.deleted_at.is_(None),
        )
        .order_by(theirs.customer_id)
    )
    others: dict[int, list[int]] = defaultdict(list)
    for one, other in session.execute(shared):
        others[one].append(other)
    people = sorted({*customer_ids, *(other for each in others.values() for other in each)})
    rows = protections(plan, now=now, only=people, audience=False, building=False)
    gates: dict[int, str] = {row.customer_id: row.gate for row in session.execute(rows)}
    free = [key for key in customer_ids if gates.get(key) == ELIGIBLE]
    if free:
        passed = protections(plan, now=now, only=free, audience=False, building=False).subquery("passed")
        priced = _priced(plan, session.execute(offered(plan, passed, only=free)).all())
        own = gates | dict(zip(priced.customers.tolist(), priced.gates.tolist(), strict=True))
    else:
        own = gates
    return {
        key: _forbids(own.get(key, "not_active"), [gates.get(other) for other in others[key]]) for key in customer_ids
    }


def _forbids(own: str, of_sharers: Sequence[str | None]) -> str | None:
    if own not in _WORTH:
        return own
    return next((gate for gate in of_sharers if gate in RESTRICTIVE), None)


def count_gates(session: Session, plan: Plan, *, now: datetime) -> dict[str, int]:
    """What each gate would take out if the list were built now."""
    return gather(session, plan, now=now).gates


def gather(session: Session, plan: Plan, *, now: datetime, keep_log: bool = False) -> Pool:
    """Look at every candidate.

    Args:
        session: the caller's transaction.
        plan: the campaign.
        now: the instant at which the gates look.
        keep_log: write each candidate's gate down for `reading.gate_of`.
    """
    table = _pool_table(dropped_by_itself=is_postgresql(session))
    connection = session.connection()
    table.drop(connection, checkfirst=True)
    table.create(connection)
    with read_widely(session):
        connection.execute(insert(table).from_select(["customer_id", "city_id", "gate"], protections(plan, now=now)))
        counted = connection.execute(select(table.c.gate, func.count()).group_by(table.c.gate))
        gates: dict[str, int] = {row[0]: row[1] for row in counted}
        pool = _eligible(session, plan, table, gates, now)
        if keep_log:
            _keep_log(session, plan, table)
    table.drop(connection)
    return pool


def _pool_table(*, dropped_by_itself: bool) -> Table:
    return Table(
        "list_pool",
        MetaData(),
        Column("customer_id", Key, primary_key=True, autoincrement=False),
        Column("city_id", BigInteger),
        Column("gate", String(20)),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP" if dropped_by_itself else None,
    )


@dataclass(frozen=True)
class _Priced:
    """Customers whom nothing protects: (n,) ids and the gate of the offers that each fails; (n, offers) figures."""

    customers: Ints
    cities: Ints
    phones: Ints
    scores: Floats
    worth: Floats
    gates: np.ndarray[Any, np.dtype[np.str_]]


def _priced(plan: Plan, rows: Sequence[Any]) -> _Priced:
    """The rows of `offered` as columns, each with the first gate of the offers that it fails."""
    offers = len(plan.offers)
    # Ids are whole below 2^53, so one conversion does for all; NULL becomes NaN.
    cells = np.array(rows, dtype=np.float64).reshape(len(rows), 4 + offers)
    customers, cities = cells[:, 0].astype(np.int64), cells[:, 1].astype(np.int64)
    phones, had = (np.nan_to_num(cells[:, column]).astype(np.int64) for column in (2, 3))
    fits = np.column_stack([_suits(kind, had, products_of(plan)) for _, kind in plan.offers])
    scores = np.where(fits, cells[:, 4:], np.nan)
    margins = np.array([offer.margin_fen for _, offer in plan.offers], dtype=np.float64)
    worth = scores * margins - plan.campaign.cost_per_call_fen
    fails = (~fits.any(axis=1), phones == 0, np.isnan(scores).all(axis=1), ~(worth > 0).any(axis=1))
    passed = np.full((1, len(rows)), fill_value=True)
    gates = _OF_OFFERS[np.argmax(np.vstack([*fails, passed]), axis=0)]
    return _Priced(customers, cities, phones, scores, worth, gates)


def _suits(kind: Offer, had: Ints, products: Sequence[str]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether an offer suits each customer, by the bits of the products that they have."""
    suits = np.full(len(had), fill_value=True)
    if kind.requires_product:
        suits &= (had >> products.index(kind.requires_product)) & 1 == 1
    if kind.excludes_product:
        suits &= (had >> products.index(kind.excludes_product)) & 1 == 0
    return suits


def _eligible(session: Session, plan: Plan, table: Table, gates: dict[str, int], now: datetime) -> Pool:
    priced = _priced(plan, _as_driven(session, offered(plan, table)))
    customers = priced.customers
    kept = priced.gates == ELIGIBLE
    moved = dict(zip(customers[~kept].tolist(), priced.gates[~kept].tolist(), strict=True))
    shared = _shared(session)
    persons = _persons(customers, shared)
    # Equal values are told apart by half a fen at most, by lot: called and held out are then alike there too.
    lot = hashed(persons, f"lot:{plan.campaign.code}")[:, None] / 2
    values = np.where(np.isnan(priced.worth) | (priced.worth <= 0), -np.inf, priced.worth + lot)
    covered = _siblings(session, plan, customers[kept], shared, now)
    moved |= covered
    kept &= ~np.isin(customers, np.fromiter(covered, dtype=np.int64, count=len(covered)))
    best = values.max(axis=1, initial=-np.inf)
    again = _repeated(persons, best, kept)
    moved |= dict.fromkeys(customers[again].tolist(), "same_number")
    kept[again] = False
    settings = campaign_settings()
    held = kept & drawn(persons, settings.global_salt, settings.global_holdout_percent)
    moved |= dict.fromkeys(customers[held].tolist(), "global_holdout")
    kept &= ~held
    _move(session, table, moved)
    counts = gates | {ELIGIBLE: int(kept.sum())}
    for gate in moved.values():
        counts[gate] = counts.get(gate, 0) + 1
    return Pool(
        customers[kept],
        priced.cities[kept],
        priced.phones[kept],
        priced.scores[kept],
        values[kept],
        persons[kept],
        counts,
    )


def _as_driven(session: Session, statement: Select[Any]) -> Sequence[Any]:
    """The rows as the driver gives them: of a million, a result's own rows take a second more to make."""
    result = session.connection().execute(statement)
    return result.cursor.fetchall() if result.cursor is not None else []


def _persons(customers: Ints, shared: Mapping[int, int]) -> Ints:
    """What each customer is drawn by: themselves, or the lowest id of those who share their number."""
    sharers = np.array(sorted(shared), dtype=np.int64)
    lowest = np.array([shared[int(key)] for key in sharers], dtype=np.int64)
    if not len(sharers):
        return customers.copy()
    place = np.minimum(np.searchsorted(sharers, customers), len(sharers) - 1)
    return np.asarray(np.where(sharers[place] == customers, lowest[place], customers))


def _shared(session: Session) -> dict[int, int]:
    """Customer -> the lowest id of those with whom they share a number, directly or through another; sharers only."""
    # Deleted rows are left out below: without them here, the index on the numbers alone answers.
    repeated = select(CustomerPhone.e164).group_by(CustomerPhone.e164).having(func.count() > 1).subquery()
    rows = session.execute(
        select(CustomerPhone.e164, CustomerPhone.customer_id)
        .join(repeated, repeated.c.e164 == CustomerPhone.e164)
        .join(Customer, Customer.id == CustomerPhone.customer_id)
        .where(CustomerPhone.deleted_at.is_(None), Customer.deleted_at.is_(None), Customer.status == "active")
        .order_by(CustomerPhone.customer_id)
    )
    by_number: dict[str, list[int]] = defaultdict(list)
    for number, customer in rows:
        by_number[number].append(customer)
    return _joined(group for group in by_number.values() if len(group) > 1)


def _joined(groups: Iterable[list[int]]) -> dict[int, int]:
    above: dict[int, int] = {}

    def top(key: int) -> int:
        while above.setdefault(key, key) != key:
            above[key] = above[above[key]]
            key = above[key]
        return key

    for group in groups:
        for key in group[1:]:
            one, other = top(group[0]), top(key)
            above[max(one, other)] = min(one, other)
    return {key: top(key) for key in list(above)}


def _siblings(
    session: Session, plan: Plan, customers: Ints, shared: Mapping[int, int], now: datetime
) -> dict[int, str]:
    """Eligible customers whom a protection of somebody with the same number covers, with that gate."""
    mine = [key for key in customers.tolist() if key in shared]
    wanted = {shared[key] for key in mine}
    people = sorted(key for key, person in shared.items() if person in wanted)
    covered: dict[int, str] = {}
    for start in range(0, len(people), 10_000):
        only: Only = people[start : start + 10_000]
        for row in session.execute(protections(plan, now=now, only=only, audience=False)):
            if row.gate in RESTRICTIVE:
                covered.setdefault(shared[row.customer_id], row.gate)
    return {key: covered[shared[key]] for key in mine if shared[key] in covered}


def _repeated(persons: Ints, best: Floats, kept: np.ndarray[Any, Any]) -> Ints:
    """Positions of kept candidates whose person has a better one (of equal ones the first stays)."""
    positions = np.flatnonzero(kept)
    order = positions[np.lexsort((positions, -best[positions], persons[positions]))]
    return np.asarray(order[np.flatnonzero(np.diff(persons[order]) == 0) + 1])


def _move(session: Session, table: Table, moved: Mapping[int, str]) -> None:
    if moved:
        statement = table.update().where(table.c.customer_id == bindparam("key")).values(gate=bindparam("found"))
        rows = [{"key": customer, "found": gate} for customer, gate in moved.items()]
        session.connection().execute(statement, rows)


def _keep_log(session: Session, plan: Plan, table: Table) -> None:
    log = ListAssessment.__table__
    connection = session.connection()
    connection.execute(log.delete().where(ListAssessment.campaign_id == plan.campaign.id))  # type: ignore[attr-defined]  # a table, typed as a clause
    rows = select(func.coalesce(plan.campaign.id, 0), table.c.customer_id, table.c.gate)
    connection.execute(insert(ListAssessment).from_select(["campaign_id", "customer_id", "gate"], rows))
