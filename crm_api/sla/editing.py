"""Changing service levels: a policy's targets, and single days of a calendar; open tickets are recomputed after."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from crm_api.dialect import begin_writing
from crm_api.errors import InvalidError, NotAllowedError, NotFoundError
from crm_api.organisation.models import CalendarDay, WorkCalendar
from crm_api.sla.models import SlaPolicy
from crm_api.sla.upkeep import announce_change

#: A year of business time; nobody promises more.
_LONGEST = 366 * 86_400
_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 12, 31)


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
    policy = session.scalars(select(SlaPolicy).where(SlaPolicy.code == code).with_for_update()).one_or_none()
    if policy is None:
        raise NotFoundError(f"There is no service-level policy {code!r}.")
    _calendar(session, targets.calendar_code)
    for name in ("first_response_seconds", "resolution_seconds"):
        value = getattr(targets, name)
        if value is not None and not 0 < value <= _LONGEST:
            raise InvalidError(f"{name} is {value}.", "Give 1 second to a year of business time, or nothing.")
    for name in ("calendar_code", "first_response_seconds", "resolution_seconds", "is_active"):
        setattr(policy, name, getattr(targets, name))
    session.flush()
    announce_change(session, actor=actor, kind="policies")
    return policy


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
