"""Changing service levels: policies, and the week and single days of a calendar; open tickets are recomputed after."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.calendar import Window
from core.time import utc_now
from crm_api.base import Base
from crm_api.contacts.models import Channel, ServiceType
from crm_api.customers.models import Product
from crm_api.dialect import begin_writing
from crm_api.errors import ConflictError, InvalidError, NotAllowedError, NotFoundError
from crm_api.organisation.models import CalendarDay, CalendarWindow, OrgUnit, WorkCalendar
from crm_api.sla.models import SlaPolicy
from crm_api.sla.upkeep import announce_change
from crm_api.tickets.models import PRIORITIES, ComplaintType

#: A year of business time; nobody promises more.
_LONGEST = 366 * 86_400
_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 12, 31)
_CODE = re.compile(r"[a-z][a-z0-9_]{1,59}")
#: Between two policies, so that one can be put there; more are made when they are used up.
_STEP = 10
#: What a policy may ask about, in the order in which it is told, and the rows that may be named.
CONDITIONS: dict[str, type[Base] | None] = {
    "service_type_code": ServiceType,
    "complaint_type_code": ComplaintType,
    "product_code": Product,
    "channel_code": Channel,
    "priority": None,
    "is_key_customer": None,
    "unit_id": OrgUnit,
}


@dataclass(frozen=True)
class Targets:
    """What a policy promises, in business seconds of its calendar (None: no such clock)."""

    calendar_code: str
    first_response_seconds: int | None
    resolution_seconds: int | None
    is_active: bool


def change_policy(session: Session, *, actor: Actor, code: str, targets: Targets) -> SlaPolicy:
    """Change what a policy promises; tickets under way that follow it get their new due times from the worker.

    Raises:
        NotAllowedError: the actor is no administrator.
        NotFoundError: there is no such policy.
        InvalidError: a target is out of range, or there is no such calendar.
    """
    _require_administrator(actor)
    begin_writing(session)
    policy = _policy(session, code)
    _set_targets(session, policy, targets)
    session.flush()
    announce_change(session, actor=actor, kind="policies")
    return policy


def add_policy(
    session: Session,
    *,
    actor: Actor,
    code: str,
    names: tuple[str, str],
    conditions: Mapping[str, Any],
    targets: Targets,
    before: str | None = None,
) -> SlaPolicy:
    """A new policy, tried before the policy `before` (None: after all others).

    Args:
        names: in Chinese and English.
        conditions: of CONDITIONS; None, or left out, matches anything.

    Raises:
        NotAllowedError: the actor is no administrator.
        NotFoundError: there is no policy `before`, or no such calendar.
        ConflictError: the code was used before.
        InvalidError: the code, a name, a condition or a target is wrong.
    """
    _require_administrator(actor)
    begin_writing(session)
    if not _CODE.fullmatch(code):
        raise InvalidError(f"A policy's code is {code!r}.", "Write small letters, digits and _.")
    if session.scalar(select(SlaPolicy.id).where(SlaPolicy.code == code)) is not None:
        raise ConflictError(f"The policy code {code!r} was used before.", "Choose another code.")
    if not all(name.strip() for name in names):
        raise InvalidError("A policy has a name in Chinese and in English.", "Write both.")
    given = {name: value for name, value in conditions.items() if value is not None}
    _check_conditions(session, given)
    policy = SlaPolicy(code=code, name_zh=names[0].strip(), name_en=names[1].strip(), **given)
    _set_targets(session, policy, targets)
    policy.sort_order = _place(session, before)
    session.add(policy)
    session.flush()
    announce_change(session, actor=actor, kind="policies")
    return policy


def remove_policy(session: Session, *, actor: Actor, code: str) -> SlaPolicy:
    """Take a policy away for good; tickets that followed it get the next one that matches, ended clocks keep it.

    Raises:
        NotAllowedError: the actor is no administrator.
        NotFoundError: there is no such policy.
    """
    _require_administrator(actor)
    begin_writing(session)
    policy = _policy(session, code)
    policy.is_active, policy.deleted_at = False, utc_now()
    session.flush()
    announce_change(session, actor=actor, kind="policies")
    return policy


def set_week(session: Session, *, actor: Actor, calendar_code: str, windows: Sequence[Window]) -> list[CalendarWindow]:
    """Give a calendar its opening windows of the week, several a day; weekdays without one are closed.

    Raises:
        NotAllowedError: the actor is no administrator.
        NotFoundError: there is no such calendar.
        InvalidError: no window at all, one that ends before it begins or outside its day, or two that overlap.
    """
    _require_administrator(actor)
    begin_writing(session)
    _calendar(session, calendar_code)
    wanted = _check_week(windows)
    rows = session.scalars(select(CalendarWindow).where(CalendarWindow.calendar_code == calendar_code)).all()
    present = {(row.weekday, row.opens_second): row for row in rows}
    kept = []
    for window in wanted:
        row = present.pop((window.weekday, window.opens_second), None)
        if row is None:
            row = CalendarWindow(calendar_code=calendar_code, weekday=window.weekday, opens_second=window.opens_second)
            session.add(row)
        row.closes_second, row.deleted_at = window.closes_second, None
        kept.append(row)
    now = utc_now()
    for row in present.values():
        row.deleted_at = row.deleted_at or now
    session.flush()
    announce_change(session, actor=actor, kind="calendar", code=calendar_code)
    return kept


def correct_day(
    session: Session,
    *,
    actor: Actor,
    calendar_code: str,
    day: date,
    follows_weekday: int | None,
    name_zh: str | None = None,
    name_en: str | None = None,
) -> CalendarDay:
    """Say what a day of a calendar is: closed (None), or open as on that weekday (1 Monday … 7 Sunday).

    Raises:
        NotAllowedError: the actor is no administrator.
        NotFoundError: there is no such calendar.
        InvalidError: the day or the weekday is out of range.
    """
    _require_administrator(actor)
    begin_writing(session)
    _calendar(session, calendar_code)
    if not _EARLIEST <= day <= _LATEST:
        raise InvalidError(f"day is {day.isoformat()}.", "Name a day of this century.")
    if follows_weekday is not None and not 1 <= follows_weekday <= 7:
        raise InvalidError(f"follows_weekday is {follows_weekday}.", "Name 1 (Monday) to 7 (Sunday).")
    row = session.scalars(
        select(CalendarDay).where(CalendarDay.calendar_code == calendar_code, CalendarDay.day == day)
    ).one_or_none()
    if row is None:
        row = CalendarDay(calendar_code=calendar_code, day=day)
        session.add(row)
    row.follows_weekday, row.holiday_zh, row.holiday_en = follows_weekday, name_zh, name_en
    row.day_kind, row.is_correction, row.deleted_at = _kind(day, follows_weekday), True, None
    session.flush()
    announce_change(session, actor=actor, kind="calendar", code=calendar_code)
    return row


def _policy(session: Session, code: str) -> SlaPolicy:
    found = session.scalars(
        select(SlaPolicy).where(SlaPolicy.code == code, SlaPolicy.deleted_at.is_(None)).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFoundError(f"There is no service-level policy {code!r}.")
    return found


def _set_targets(session: Session, policy: SlaPolicy, targets: Targets) -> None:
    _calendar(session, targets.calendar_code)
    for name in ("first_response_seconds", "resolution_seconds"):
        value = getattr(targets, name)
        if value is not None and not 0 < value <= _LONGEST:
            raise InvalidError(f"{name} is {value}.", "Give 1 second to a year of business time, or nothing.")
    for name in ("calendar_code", "first_response_seconds", "resolution_seconds", "is_active"):
        setattr(policy, name, getattr(targets, name))


def _check_conditions(session: Session, given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if name not in CONDITIONS:
            raise InvalidError(f"{name!r} is no field that can be set here.", f"Known: {', '.join(CONDITIONS)}.")
        if name == "priority" and value not in PRIORITIES:
            raise InvalidError(f"{name} is {value!r}.", f"It is one of: {', '.join(PRIORITIES)}.")
        model = CONDITIONS[name]
        row: Any = session.get(model, value) if model is not None else None
        if model is not None and (row is None or row.deleted_at is not None):
            raise InvalidError(f"{name} is {value!r}, which does not exist.", "Take a code of the catalogue.")


def _place(session: Session, before: str | None) -> int:
    """The sort order of a new policy; where there is no number between two, all are numbered anew."""
    rows = list(session.scalars(select(SlaPolicy).order_by(SlaPolicy.sort_order).with_for_update()))
    if before is None:
        return (rows[-1].sort_order if rows else 0) + _STEP
    follower = _policy(session, before)
    place = rows.index(follower)
    earlier = rows[place - 1].sort_order if place else 0
    if follower.sort_order - earlier < 2:
        # Upwards first: no two may have the same number at any time.
        highest = rows[-1].sort_order + len(rows) * _STEP
        for offset in (highest, 0):
            for number, row in enumerate(rows, start=1):
                row.sort_order = offset + number * _STEP
            session.flush()
        earlier = follower.sort_order - _STEP
    return (earlier + follower.sort_order) // 2


def _check_week(windows: Sequence[Window]) -> list[Window]:
    if not windows:
        raise InvalidError("The week has no opening window.", "Give at least one.")
    ordered = sorted(windows, key=lambda each: (each.weekday, each.opens_second))
    for each in ordered:
        if not 1 <= each.weekday <= 7:
            raise InvalidError(f"weekday is {each.weekday}.", "Name 1 (Monday) to 7 (Sunday).")
        if not 0 <= each.opens_second < each.closes_second <= 86_400:
            raise InvalidError(
                f"A window of weekday {each.weekday} does not end after it begins, within its day.",
                "Midnight as an end is 24:00; a window over midnight is two windows.",
            )
    for first, second in itertools.pairwise(ordered):
        if first.weekday == second.weekday and second.opens_second < first.closes_second:
            raise InvalidError(f"Two windows of weekday {first.weekday} overlap.", "Merge them.")
    return ordered


def _kind(day: date, follows_weekday: int | None) -> str:
    if follows_weekday is None:
        return "holiday"
    if follows_weekday > 5:
        return "weekend"
    return "make_up" if day.isoweekday() > 5 else "working"


def _calendar(session: Session, code: str) -> None:
    if session.get(WorkCalendar, code) is None:
        raise NotFoundError(f"There is no calendar {code!r}.")


def _require_administrator(actor: Actor) -> None:
    if actor.role != "administrator":
        raise NotAllowedError(f"{actor.role} may not change service levels.", "An administrator does.")
