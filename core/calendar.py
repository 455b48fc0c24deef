"""Days and opening windows of a working calendar: weekends, State Council holidays, make-up working days (调休).

The State Council's days come from the `chinesecalendar` package; years it does not know yet have weekends only.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import chinese_calendar
from chinese_calendar import constants as known_days

from core.errors import ConfigurationError

DayKind = Literal["working", "weekend", "holiday", "make_up"]

#: Last day that the holiday library speaks for; later days follow the plain week.
HOLIDAYS_KNOWN_UNTIL = date(max(known_days.holidays).year, 12, 31)
HOLIDAYS_KNOWN_FROM = date(min(known_days.holidays).year, 1, 1)


@dataclass(frozen=True)
class Day:
    """What one day is, as the State Council announced it."""

    day: date
    kind: DayKind
    holiday_zh: str | None = None
    holiday_en: str | None = None


@dataclass(frozen=True)
class Window:
    """An opening window of a weekday, seconds from local midnight; the end is exclusive, 24:00 is 86400."""

    weekday: int
    opens_second: int
    closes_second: int


def day_of(day: date) -> Day:
    """The kind of `day` and its holiday's names, if any."""
    if not HOLIDAYS_KNOWN_FROM <= day <= HOLIDAYS_KNOWN_UNTIL:
        return Day(day, "weekend" if day.isoweekday() > 5 else "working")
    off, name = chinese_calendar.get_holiday_detail(day)
    if name is None:
        return Day(day, "weekend" if off else "working")
    chinese = chinese_calendar.Holiday(name).chinese
    return Day(day, "holiday" if off else "make_up", chinese, str(name))


def days_between(first: date, last: date) -> Iterator[Day]:
    """Each day from `first` to `last`, both included."""
    for offset in range((last - first).days + 1):
        yield day_of(first + timedelta(days=offset))


def follows_weekday(day: Day, *, observes_holidays: bool) -> int | None:
    """The ISO weekday whose windows `day` follows; None: closed all day.

    A make-up day follows Friday's windows (the usual office practice); a calendar that does not observe
    holidays follows its own weekday every day.
    """
    if not observes_holidays:
        return day.day.isoweekday()
    if day.kind == "holiday":
        return None
    if day.kind == "make_up":
        return 5
    return day.day.isoweekday()


def parse_clock(text: str, *, field: str) -> int:
    """Seconds from midnight of `HH:MM`; `24:00` gives 86400. `field` names the place in an error."""
    hours, _, minutes = text.partition(":")
    if hours.isdigit() and minutes.isdigit() and len(minutes) == 2:
        seconds = int(hours) * 3600 + int(minutes) * 60
        if int(minutes) < 60 and seconds <= 86400:
            return seconds
    raise ConfigurationError(f"{field} is {text!r}, not a time of day.", "Write HH:MM, from 00:00 to 24:00.")


def parse_windows(rows: list[list[int | str]], *, field: str) -> list[Window]:
    """Windows from `[first weekday, last weekday, opens, closes]` rows.

    Raises:
        ConfigurationError: an empty week, an end at 00:00, an end before its start, or windows that overlap.
    """
    windows = []
    for first, last, opens, closes in rows:
        start = parse_clock(str(opens), field=f"{field}: opens")
        end = parse_clock(str(closes), field=f"{field}: closes")
        if end <= start:
            raise ConfigurationError(
                f"{field}: a window closes at {closes}, not after it opens ({opens}).",
                "Midnight as an end is 24:00; a window over midnight is two windows.",
            )
        windows += [Window(weekday, start, end) for weekday in range(int(first), int(last) + 1)]
    if not windows:
        raise ConfigurationError(f"{field}: the week has no opening window.", "Give at least one window.")
    windows.sort(key=lambda window: (window.weekday, window.opens_second))
    for before, after in itertools.pairwise(windows):
        if before.weekday == after.weekday and after.opens_second < before.closes_second:
            raise ConfigurationError(f"{field}: two windows of weekday {after.weekday} overlap.", "Merge them.")
    return windows
