"""The store's calendars as business time, kept until a row of a calendar changes."""

from dataclasses import dataclass
from time import monotonic
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, func, or_, select
from sqlalchemy.orm import Session

from core.business_time import BusinessCalendar
from core.calendar import Window
from crm_api.errors import NotFoundError
from crm_api.organisation.models import CalendarDay, CalendarWindow, WorkCalendar

#: On PostgreSQL a row's version may be lower than one committed before it; so a calendar is read anew at times.
_KEEP_SECONDS = 60.0


@dataclass(frozen=True)
class _Kept:
    stamp: tuple[int, int]
    read_at: float
    calendar: BusinessCalendar


_KEPT: WeakKeyDictionary[Engine, dict[str, _Kept]] = WeakKeyDictionary()


def _stamp(session: Session) -> tuple[int, int]:
    """Rises with every change of any calendar; two look-ups in indexes."""
    days = session.scalar(select(func.max(CalendarDay.row_version)))
    windows = session.scalar(select(func.max(CalendarWindow.row_version)))
    return days or 0, windows or 0


def calendar_of(session: Session, code: str) -> BusinessCalendar:
    """The calendar of that code, shared between threads.

    Raises:
        NotFoundError: there is none.
        ConfigurationError: it has no opening window.
    """
    kept = _KEPT.setdefault(session.get_bind().engine, {})
    stamp, found = _stamp(session), kept.get(code)
    if found is None or found.stamp != stamp or monotonic() - found.read_at > _KEEP_SECONDS:
        found = _Kept(stamp, monotonic(), _read(session, code))
        kept[code] = found
    return found.calendar


def _read(session: Session, code: str) -> BusinessCalendar:
    zone = session.scalar(select(WorkCalendar.time_zone).where(WorkCalendar.code == code))
    if zone is None:
        raise NotFoundError(f"There is no calendar {code!r}.")
    windows = session.execute(
        select(CalendarWindow.weekday, CalendarWindow.opens_second, CalendarWindow.closes_second).where(
            CalendarWindow.calendar_code == code, CalendarWindow.deleted_at.is_(None)
        )
    ).all()
    rows = session.execute(
        select(CalendarDay.day, CalendarDay.follows_weekday, CalendarDay.holiday_zh, CalendarDay.holiday_en).where(
            CalendarDay.calendar_code == code,
            CalendarDay.deleted_at.is_(None),
            # A plain day follows its own weekday: only the others are worth reading.
            or_(
                CalendarDay.day_kind.in_(("holiday", "make_up")),
                CalendarDay.follows_weekday.is_(None),
                CalendarDay.is_correction,
            ),
        )
    ).all()
    return BusinessCalendar(
        [Window(*window) for window in windows],
        {day: follows for day, follows, _, _ in rows if follows != day.isoweekday()},
        zone=zone,
        names={day: (zh, en or zh) for day, _, zh, en in rows if zh},
    )
