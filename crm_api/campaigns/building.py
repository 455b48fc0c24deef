"""Building a list: candidates, holdout, the choice, and entries that no rebuild ever doubles."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Engine, insert, select, update
from sqlalchemy.orm import Session

from core.actor import Actor
from core.database import session_scope
from core.errors import CrmError
from core.time import to_local, utc_now
from crm_api.audit.service import Origin, record
from crm_api.campaigns.candidates import Pool, drawn, gather
from crm_api.campaigns.capacity import free_calls
from crm_api.campaigns.gates import Plan
from crm_api.campaigns.models import (
    ELIGIBLE,
    GATES,
    CallListEntry,
    Campaign,
    ListAssessment,
    ListBuild,
    ListGate,
)
from crm_api.campaigns.policy import BUILDABLE, Days, calling_days
from crm_api.campaigns.ports import Choice, Problem, Solver
from crm_api.campaigns.reading import get_campaign, holidays_between, plan_of
from crm_api.dialect import begin_writing, is_postgresql
from crm_api.errors import ConflictError

#: Counted beside the gates: eligible customers held out by this campaign, and those for whom no call was left.
HOLDOUT, CAPACITY, LISTED = "holdout", "capacity", "listed"
#: Customers named in one statement: fewer than SQLite takes parameters.
_AT_ONCE = 5_000
_NO_LIMIT = 2**40


@dataclass(frozen=True)
class _Picked:
    """Positions in the pool, with the offer and the rank of each; rank 0: held out."""

    position: int
    offer: int
    rank: int


def request_build(
    session: Session, campaign_id: int, *, actor: Actor, origin: Origin | None = None, now: datetime | None = None
) -> ListBuild:
    """Ask for a campaign's list; a build of the same version that waits already is that build.

    Raises:
        NotFoundError: no such campaign in the actor's scope.
        ConflictError: the list is approved, or calls are being made from it.
    """
    campaign = get_campaign(session, campaign_id, actor, to_change=True)
    if campaign.state not in BUILDABLE:
        raise ConflictError(f"The campaign is {campaign.state}.", "Reopen it before building another list.")
    waiting = session.scalars(
        select(ListBuild).where(ListBuild.campaign_id == campaign.id, ListBuild.state.in_(("waiting", "running")))
    ).first()
    if waiting is not None:
        return waiting
    build = ListBuild(
        campaign_id=campaign.id, version=campaign.version, requested_by=actor.username, requested_at=now or utc_now()
    )
    session.add(build)
    session.flush()
    record(session, "campaign.build_requested", actor=actor, subject=("campaign", campaign.id), origin=origin)
    return build


def build_next(engine: Engine, solver: Solver) -> ListBuild | None:
    """Take one waiting build and carry it out; None if none waits. What fails is written down with its reason."""
    with session_scope(engine) as session:
        build_id = _claim(session)
    if build_id is None:
        return None
    try:
        with session_scope(engine) as session:
            return carry_out(session, session.get_one(ListBuild, build_id), solver)
    except CrmError as error:
        return _fail(engine, build_id, error.message)
    except Exception:
        # Whatever it was, the build must not look as if it still ran; the fault itself goes on to whoever called.
        _fail(engine, build_id, "The build broke off; the worker's log says why.")
        raise


def _claim(session: Session) -> int | None:
    statement = select(ListBuild).where(ListBuild.state == "waiting").order_by(ListBuild.id).limit(1)
    if session.scalars(statement).first() is None:
        return None
    begin_writing(session)
    if is_postgresql(session):
        statement = statement.with_for_update(skip_locked=True)
    build = session.scalars(statement.execution_options(populate_existing=True)).first()
    if build is None:
        return None
    build.state, build.started_at = "running", utc_now()
    return build.id


def _fail(engine: Engine, build_id: int, why: str) -> ListBuild:
    with session_scope(engine) as session:
        build = session.get_one(ListBuild, build_id)
        build.state, build.failure, build.ended_at = "failed", why[:300], utc_now()
        return build


def carry_out(session: Session, build: ListBuild, solver: Solver, *, now: datetime | None = None) -> ListBuild:
    """Build the list that `build` asks for, in the caller's transaction. The same store gives the same list.

    Entries that were called stay as they are; others are changed, taken off (`removed`) or added. A customer held out
    of a campaign that was ever approved stays held out.

    Raises:
        ConflictError: the campaign changed since, or may not be built any more.
    """
    at = now or utc_now()
    begin_writing(session)
    campaign = session.scalars(select(Campaign).where(Campaign.id == build.campaign_id).with_for_update()).one()
    if campaign.state not in BUILDABLE or campaign.version != build.version:
        raise ConflictError("The campaign changed after the build was asked for.", "Ask for another build.")
    plan = plan_of(session, campaign)
    pool = gather(session, plan, now=at, keep_log=True)
    days = _days(session, plan, at)
    held = _held(session, campaign, pool)
    choice, picked = _choose(plan, pool, days, held, solver)
    _write(session, plan, pool, days, picked, at)
    listed = sum(1 for each in picked if each.rank)
    _tell_apart(session, campaign, pool, held, picked)
    counts = {gate: pool.gates.get(gate, 0) for gate in GATES}
    counts |= {ELIGIBLE: pool.gates[ELIGIBLE], HOLDOUT: int(held.sum()), LISTED: listed}
    counts[CAPACITY] = counts[ELIGIBLE] - counts[HOLDOUT] - listed
    _write_gates(session, campaign, counts)
    campaign.state, campaign.reviewed_by, campaign.approved_by = "built", None, None
    build.state, build.started_at, build.ended_at = "done", build.started_at or at, utc_now()
    build.candidates, build.listed = sum(pool.gates.values()), listed
    build.held_out, build.value_fen = len(picked) - listed, round(choice.value)
    build.solver, build.gap = choice.solver, choice.gap
    details: dict[str, Any] = {"version": build.version, "listed": listed, "held_out": build.held_out}
    record(
        session,
        "campaign.built",
        actor=None,
        username=build.requested_by,
        subject=("campaign", campaign.id),
        **details,
    )
    session.flush()
    return build


def _days(session: Session, plan: Plan, at: datetime) -> Days:
    campaign, today = plan.campaign, to_local(at).date()
    first: date = max(today, campaign.starts_on)
    return calling_days(
        campaign,
        {unit.unit_id: unit.calls_per_day for unit in plan.units},
        today=today,
        holidays=holidays_between(session, first, campaign.ends_on),
        free=free_calls(session, first, campaign.ends_on, campaign_id=campaign.id),
    )


def _held(session: Session, campaign: Campaign, pool: Pool) -> np.ndarray[Any, np.dtype[np.bool_]]:
    held = drawn(pool.persons, f"campaign:{campaign.code}", campaign.holdout_percent)
    if campaign.approved_at is None:
        return held
    before = select(CallListEntry.customer_id).where(
        CallListEntry.campaign_id == campaign.id, CallListEntry.arm == "holdout"
    )
    return held | np.isin(pool.customers, np.array(list(session.scalars(before)), dtype=np.int64))


def _choose(
    plan: Plan, pool: Pool, days: Days, held: np.ndarray[Any, Any], solver: Solver
) -> tuple[Choice, list[_Picked]]:
    """Who is called, and whom of the held-out the list would have called: those worth more than a place costs."""
    units = [unit.unit_id for unit in plan.units]
    known = np.argsort(units)
    branch = known[np.searchsorted(np.array(units)[known], pool.cities)] if units else pool.cities
    limits = [offer.capacity if offer.capacity is not None else _NO_LIMIT for offer, _ in plan.offers]
    called = np.flatnonzero(~held)
    choice = solver(
        Problem(
            branch=branch[called],
            values=pool.values[called],
            branch_capacity=np.array([days.total(unit) for unit in units], dtype=np.int64),
            offer_capacity=np.array(limits, dtype=np.int64),
        )
    )
    taken = np.flatnonzero(choice.offer >= 0)
    chosen = dict(zip(called[taken].tolist(), choice.offer[taken].tolist(), strict=True))
    picked = []
    for index in range(len(units)):
        own = [position for position in chosen if branch[position] == index]
        own.sort(key=lambda position: (-pool.values[position, chosen[position]], pool.customers[position]))
        picked += [_Picked(position, chosen[position], rank) for rank, position in enumerate(own, start=1)]
    apart = np.flatnonzero(held)
    net = pool.values[apart] - choice.prices[branch[apart]]
    wanted = np.flatnonzero(net.max(axis=1, initial=-np.inf) > 0)
    pairs = zip(apart[wanted].tolist(), net[wanted].argmax(axis=1).tolist(), strict=True)
    picked += [_Picked(position, offer, 0) for position, offer in pairs]
    return choice, picked


def _tell_apart(
    session: Session, campaign: Campaign, pool: Pool, held: np.ndarray[Any, Any], picked: list[_Picked]
) -> None:
    """Of those who passed every gate, write down who was held out and for whom no call was left."""
    is_listed = np.zeros(len(held), dtype=bool)
    is_listed[[each.position for each in picked if each.rank]] = True
    # Most are left over: all of them first, then back to what they are those who are not.
    _end_in(session, campaign, ListAssessment.gate == ELIGIBLE, CAPACITY)
    for end, which in ((HOLDOUT, held), (ELIGIBLE, is_listed)):
        customers = pool.customers[which].tolist()
        for start in range(0, len(customers), _AT_ONCE):
            some = customers[start : start + _AT_ONCE]
            _end_in(session, campaign, ListAssessment.customer_id.in_(some), end)


def _end_in(session: Session, campaign: Campaign, which: ColumnElement[bool], gate: str) -> None:
    session.execute(
        update(ListAssessment).where(ListAssessment.campaign_id == campaign.id, which).values(gate=gate),
        execution_options={"synchronize_session": False},
    )


def _write(session: Session, plan: Plan, pool: Pool, days: Days, picked: list[_Picked], at: datetime) -> None:
    campaign = plan.campaign
    present = {row.customer_id: row for row in session.execute(_entries_of(campaign))}
    fresh, changed = [], []
    for each in picked:
        customer = int(pool.customers[each.position])
        values = _values(plan, pool, days, each, at)
        if customer in present:
            changed.append({"id": present[customer].id, **values})
        else:
            fresh.append({"campaign_id": campaign.id, "customer_id": customer, "attempts": 0, **values})
    kept = {int(pool.customers[each.position]) for each in picked}
    gone = [row for key, row in present.items() if key not in kept and _is_free(row)]
    _take_off(session, gone, at)
    if changed:
        session.execute(update(CallListEntry), changed)
    if fresh:
        session.execute(insert(CallListEntry), fresh)
    session.flush()


def _entries_of(campaign: Campaign) -> Any:
    names = ("id", "customer_id", "arm", "state", "attempts", "deleted_at")
    return select(*(getattr(CallListEntry, name) for name in names)).where(CallListEntry.campaign_id == campaign.id)


def _is_free(row: Any) -> bool:
    """Whether an entry was never called and still stands on the list."""
    return bool(row.attempts == 0 and row.deleted_at is None and row.state in ("waiting", "held"))


def _take_off(session: Session, rows: list[Any], at: datetime) -> None:
    off = [{"id": row.id, "state": "removed", "ended_at": at} for row in rows if row.arm == "call"]
    buried = [{"id": row.id, "deleted_at": at} for row in rows if row.arm == "holdout"]
    for values in (off, buried):
        if values:
            session.execute(update(CallListEntry), values)


def _values(plan: Plan, pool: Pool, days: Days, each: _Picked, at: datetime) -> dict[str, Any]:
    unit = int(pool.cities[each.position])
    is_called = each.rank > 0
    return {
        "phone_id": int(pool.phones[each.position]),
        "unit_id": unit,
        "offer_code": plan.offers[each.offer][1].code,
        "arm": "call" if is_called else "holdout",
        "state": "waiting" if is_called else "held",
        "version": plan.campaign.version,
        "rank": each.rank,
        "planned_on": days.planned(unit, each.rank) if is_called else days.days[0],
        "score": float(pool.scores[each.position, each.offer]),
        "value_fen": round(float(pool.values[each.position, each.offer])),
        "listed_at": at,
        "reserved_by": None,
        "reserved_until": None,
        "stop_reason": None,
        "ended_at": None,
        "deleted_at": None,
    }


def _write_gates(session: Session, campaign: Campaign, counts: Mapping[str, int]) -> None:
    rows = session.scalars(
        select(ListGate).where(ListGate.campaign_id == campaign.id, ListGate.version == campaign.version)
    )
    present = {row.gate: row for row in rows}
    for position, (gate, customers) in enumerate(counts.items(), start=1):
        if gate in present:
            present[gate].customers = customers
        else:
            session.add(
                ListGate(
                    campaign_id=campaign.id,
                    version=campaign.version,
                    gate=gate,
                    position=position,
                    customers=customers,
                )
            )
