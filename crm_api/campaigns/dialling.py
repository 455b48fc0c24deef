"""Working a list: who is next, whether they may still be called this moment, and what came of the call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import LOCAL, to_local, utc_now
from crm_api.audit.service import Origin, record
from crm_api.campaigns.candidates import standings_of
from crm_api.campaigns.capacity import free_today
from crm_api.campaigns.models import (
    ATTEMPT_OUTCOMES,
    OPEN_STATES,
    REACHED,
    CallAttempt,
    CallListEntry,
    Campaign,
    CampaignUnit,
)
from crm_api.campaigns.policy import may_call_at
from crm_api.campaigns.reading import holidays_between, plan_of
from crm_api.campaigns.settings import campaign_settings
from crm_api.customers.models import CustomerPhone
from crm_api.dialect import begin_writing, is_postgresql
from crm_api.errors import ConflictError, InvalidError, NotFoundError
from crm_api.webhooks.service import publish

_LONGEST_PROMISE = timedelta(days=30)


@dataclass(frozen=True)
class DialEntry:
    """An entry that is kept for its taker until `reserved_until`."""

    entry_id: int
    campaign_id: int
    customer_id: int
    number: str
    offer_code: str
    attempt: int
    reserved_until: datetime


@dataclass(frozen=True)
class Verdict:
    """Whether an entry may be dialled now; if not, the gate or rule that forbids it.

    `is_final`: it never may again (the entry is stopped); otherwise try later.
    """

    may_dial: bool
    reason: str | None = None
    is_final: bool = False


def next_entries(
    session: Session,
    *,
    campaign_id: int,
    limit: int,
    worker: str,
    now: datetime | None = None,
    unit_ids: Sequence[int] | None = None,
) -> list[DialEntry]:
    """Take up to `limit` entries that may be dialled now, best first; each is checked again, the others are stopped.

    They are kept for `worker` for some minutes; what came of them is told with `record_outcome`, else `release`.

    Args:
        session: the caller's transaction; taken entries are the caller's once it commits.
        campaign_id: a running campaign; any other gives nothing.
        limit: how many at most.
        worker: who takes them: an agent's user name, or the dialler's own.
        now: the instant at which rules are looked at.
        unit_ids: only customers of these city branches.
    """
    at = now or utc_now()
    begin_writing(session)
    campaign = session.get(Campaign, campaign_id)
    if campaign is None or may_call_at(campaign, at, _holidays(session, at)) is not None:
        return []
    taken: list[DialEntry] = []
    rooms = _rooms(session, campaign, at)
    while len(taken) < limit:
        batch = _waiting(session, campaign, at, rooms, limit - len(taken), unit_ids)
        if not batch:
            break
        verdicts = _check(session, campaign, batch, at)
        for entry, verdict in zip(batch, verdicts, strict=True):
            if not verdict.may_dial:
                _stop(session, entry, verdict.reason or "", at)
            elif rooms.get(entry.unit_id, 0) > 0:
                rooms[entry.unit_id] -= 1
                taken.append(_reserve(session, entry, worker, at))
        session.flush()
    return taken


def recheck(session: Session, entry_id: int, now: datetime | None = None, *, worker: str | None = None) -> Verdict:
    """Whether an entry may be dialled this moment; what it failed for good stops it. Ask right before dialling.

    Args:
        worker: who took it, if that is to be checked too: a taking that ran out may be somebody else's by now.

    Raises:
        NotFoundError: there is no such entry.
    """
    at = now or utc_now()
    entry = _locked(session, entry_id)
    if entry.state not in OPEN_STATES:
        return Verdict(may_dial=False, reason=entry.stop_reason or entry.state, is_final=True)
    if worker is not None and (
        entry.reserved_by != worker or entry.reserved_until is None or entry.reserved_until < at
    ):
        return Verdict(may_dial=False, reason="not_taken")
    campaign = session.get_one(Campaign, entry.campaign_id)
    closed = may_call_at(campaign, at, _holidays(session, at))
    if closed is not None:
        return Verdict(may_dial=False, reason=closed)
    (verdict,) = _check(session, campaign, [entry], at)
    if not verdict.may_dial:
        _stop(session, entry, verdict.reason or "", at)
        session.flush()
    return verdict


def release(session: Session, entry_id: int, *, worker: str, again_at: datetime | None = None) -> None:
    """Give an entry back that was taken and not called; nothing happens if it is not `worker`'s.

    Args:
        again_at: not to be offered again before this.
    """
    entry = _locked(session, entry_id)
    if entry.state == "reserved" and entry.reserved_by == worker:
        entry.state, entry.reserved_by, entry.reserved_until = "waiting", None, None
        entry.next_attempt_at = again_at or entry.next_attempt_at


def hand_over(session: Session, entry_id: int, *, worker: str, to: str, until: datetime) -> None:
    """Put an entry on another's desk, theirs until `until`; nothing happens if it is not `worker`'s."""
    entry = _locked(session, entry_id)
    if entry.state == "reserved" and entry.reserved_by == worker:
        entry.reserved_by, entry.reserved_until = to, until


def record_outcome(
    session: Session,
    entry_id: int,
    outcome: str,
    *,
    actor: Actor,
    external_id: str,
    now: datetime | None = None,
    talk_seconds: int | None = None,
    contact_id: int | None = None,
    callback_at: datetime | None = None,
    note: str | None = None,
    origin: Origin | None = None,
) -> CallAttempt:
    """Write down what came of a call; told twice with one `external_id`, the first stands.

    Not reached: it is tried again after the campaign's pause until the attempts are used up. `do_not_call` closes the
    number for every campaign. A promised callback needs its time.

    Raises:
        NotFoundError: there is no such entry.
        InvalidError: an unknown outcome, or a callback without a time within 30 days.
        ConflictError: the entry is held out, or ended before.
    """
    at = now or utc_now()
    if outcome not in ATTEMPT_OUTCOMES:
        raise InvalidError(f"outcome is {outcome!r}.", f"It is one of: {', '.join(ATTEMPT_OUTCOMES)}.")
    entry = _locked(session, entry_id)
    same = (CallAttempt.entry_id == entry.id, CallAttempt.external_id == external_id)
    known = session.scalars(select(CallAttempt).where(*same)).one_or_none()
    if known is not None:
        return known
    if entry.state not in OPEN_STATES:
        raise ConflictError(f"The entry is {entry.state}: nobody may have called.", "Take the next entry of the list.")
    if outcome == "callback" and not (callback_at and at < callback_at <= at + _LONGEST_PROMISE):
        raise InvalidError("callback_at is missing or too far off.", "Name a time within 30 days.")
    campaign = session.get_one(Campaign, entry.campaign_id)
    attempt = CallAttempt(
        entry_id=entry.id,
        campaign_id=entry.campaign_id,
        customer_id=entry.customer_id,
        external_id=external_id,
        at=at,
        outcome=outcome,
        talk_seconds=talk_seconds,
        username=actor.username,
        contact_id=contact_id,
        note=note,
    )
    session.add(attempt)
    _advance(campaign, entry, outcome, at, callback_at)
    if outcome == "do_not_call":
        _close_number(session, entry)
    session.flush()
    details: dict[str, Any] = {"campaign_id": campaign.id, "outcome": outcome}
    record(session, "campaign.called", actor=actor, subject=("customer", entry.customer_id), origin=origin, **details)
    publish(session, "campaign.called", {**details, "entry_id": entry.id, "customer_id": entry.customer_id})
    return attempt


def _advance(
    campaign: Campaign, entry: CallListEntry, outcome: str, at: datetime, callback_at: datetime | None
) -> None:
    entry.attempts += 1
    entry.outcome = outcome
    entry.reserved_by, entry.reserved_until = None, None
    ended = outcome in ("accepted", "refused", "do_not_call", "undecided", "wrong_number")
    if ended or (outcome != "callback" and entry.attempts >= campaign.max_attempts):
        entry.state, entry.ended_at, entry.next_attempt_at = "done", at, None
        return
    entry.state = "waiting"
    entry.next_attempt_at = callback_at if outcome == "callback" else at + timedelta(minutes=campaign.retry_minutes)


def _close_number(session: Session, entry: CallListEntry) -> None:
    """The customer said: never again. It holds for the number, whoever else has it."""
    number = select(CustomerPhone.e164).where(CustomerPhone.id == entry.phone_id).scalar_subquery()
    session.execute(
        update(CustomerPhone)
        .where(or_(CustomerPhone.e164 == number, CustomerPhone.customer_id == entry.customer_id))
        .values(do_not_call=True)
        .execution_options(synchronize_session=False)
    )


def _locked(session: Session, entry_id: int) -> CallListEntry:
    begin_writing(session)
    statement = select(CallListEntry).where(CallListEntry.id == entry_id, CallListEntry.deleted_at.is_(None))
    entry = session.scalars(statement.with_for_update()).one_or_none()
    if entry is None:
        raise NotFoundError(f"There is no call list entry {entry_id}.")
    return entry


def _holidays(session: Session, at: datetime) -> frozenset[date]:
    day = to_local(at).date()
    return holidays_between(session, day, day)


def _rooms(session: Session, campaign: Campaign, at: datetime) -> dict[int, int]:
    """Calls that each branch may still begin today: its own number less what was tried or is taken."""
    local = to_local(at)
    midnight = datetime.combine(local.date(), datetime.min.time(), LOCAL)
    units = session.execute(
        select(CampaignUnit.unit_id, CampaignUnit.calls_per_day).where(
            CampaignUnit.campaign_id == campaign.id, CampaignUnit.deleted_at.is_(None)
        )
    ).all()
    begun = (
        select(CallListEntry.unit_id, func.count())
        .join(CallAttempt, CallAttempt.entry_id == CallListEntry.id)
        .where(CallAttempt.campaign_id == campaign.id, CallAttempt.at >= midnight)
        .group_by(CallListEntry.unit_id)
    )
    kept = (
        select(CallListEntry.unit_id, func.count())
        .where(CallListEntry.campaign_id == campaign.id, CallListEntry.state == "reserved")
        .where(CallListEntry.reserved_until > at)
        .group_by(CallListEntry.unit_id)
    )
    used: dict[int, int] = {}
    for unit, count in (*session.execute(begun).all(), *session.execute(kept).all()):
        used[unit] = used.get(unit, 0) + count
    free = free_today(session, local.date(), midnight, campaign_id=campaign.id)
    wanted = sum(calls for _, calls in units)
    share = min(1.0, free / wanted) if free is not None and wanted else 1.0
    return {unit: max(0, int(calls * share) - used.get(unit, 0)) for unit, calls in units}


def _waiting(
    session: Session,
    campaign: Campaign,
    at: datetime,
    rooms: dict[int, int],
    limit: int,
    unit_ids: Sequence[int] | None,
) -> Sequence[CallListEntry]:
    """Entries that are due: promised calls first, then by rank; a reservation that ran out is free again."""
    open_units = [unit for unit, room in rooms.items() if room > 0 and (unit_ids is None or unit in unit_ids)]
    free = or_(
        CallListEntry.state == "waiting",
        (CallListEntry.state == "reserved") & (CallListEntry.reserved_until <= at),
    )
    statement = (
        select(CallListEntry)
        .where(
            CallListEntry.campaign_id == campaign.id,
            CallListEntry.arm == "call",
            CallListEntry.unit_id.in_(open_units),
            CallListEntry.deleted_at.is_(None),
            free,
            or_(CallListEntry.next_attempt_at.is_(None), CallListEntry.next_attempt_at <= at),
        )
        .order_by(
            CallListEntry.next_attempt_at.is_(None), CallListEntry.planned_on, CallListEntry.rank, CallListEntry.id
        )
        .limit(limit)
    )
    if is_postgresql(session):
        statement = statement.with_for_update(skip_locked=True)
    return session.scalars(statement).all()


def _check(session: Session, campaign: Campaign, entries: Sequence[CallListEntry], at: datetime) -> list[Verdict]:
    """Whether each may be dialled at `at`, looked up for all of them at once."""
    people = [entry.customer_id for entry in entries]
    standings = standings_of(session, plan_of(session, campaign), people, now=at)
    closed = set(
        session.scalars(
            select(CustomerPhone.id).where(
                CustomerPhone.id.in_([entry.phone_id for entry in entries]),
                or_(CustomerPhone.do_not_call, CustomerPhone.deleted_at.is_not(None)),
            )
        )
    )
    return [_verdict(entry, standings[entry.customer_id], is_closed=entry.phone_id in closed) for entry in entries]


def _verdict(entry: CallListEntry, standing: str | None, *, is_closed: bool) -> Verdict:
    if entry.arm != "call":
        return Verdict(may_dial=False, reason="held", is_final=True)
    if standing is None and not is_closed:
        return Verdict(may_dial=True)
    return Verdict(may_dial=False, reason=standing or "do_not_call", is_final=True)


def _stop(session: Session, entry: CallListEntry, reason: str, at: datetime) -> None:
    entry.state, entry.stop_reason, entry.ended_at = "stopped", reason, at
    entry.reserved_by, entry.reserved_until, entry.next_attempt_at = None, None, None
    details = {"campaign_id": entry.campaign_id, "reason": reason}
    publish(session, "campaign.stopped", {**details, "entry_id": entry.id, "customer_id": entry.customer_id})


def _reserve(session: Session, entry: CallListEntry, worker: str, at: datetime) -> DialEntry:
    until = at + timedelta(minutes=campaign_settings().reserve_minutes)
    entry.state, entry.reserved_by, entry.reserved_until = "reserved", worker, until
    phone = session.get_one(CustomerPhone, entry.phone_id)
    return DialEntry(
        entry_id=entry.id,
        campaign_id=entry.campaign_id,
        customer_id=entry.customer_id,
        number=phone.e164,
        offer_code=entry.offer_code,
        attempt=entry.attempts + 1,
        reserved_until=until,
    )


__all__ = ["REACHED", "DialEntry", "Verdict", "hand_over", "next_entries", "recheck", "record_outcome", "release"]
