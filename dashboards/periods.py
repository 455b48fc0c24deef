"""Periods that a page looks at, and the periods it compares them with. Days are local (Asia/Shanghai)."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Literal, get_args

from core.periods import YEAR_OF_WEEKS, Period, month_of
from core.time import to_local

Preset = Literal[
    "last_week", "last_7_days", "last_28_days", "last_90_days", "this_month", "last_month", "all", "custom"
]
Comparison = Literal["previous", "year", "none"]
PRESETS: tuple[Preset, ...] = get_args(Preset)
COMPARISONS: tuple[Comparison, ...] = get_args(Comparison)


def last_complete_day(days: Period, looked_at: datetime | None) -> date:
    """The last day of `days` that is over, when the store was looked at `looked_at`; None: the last day there is."""
    if looked_at is None:
        return days.last
    return max(days.first, min(days.last, to_local(looked_at).date() - timedelta(days=1)))


def _last_week(data: Period, anchor: date) -> Period:
    sunday = anchor - timedelta(days=anchor.isoweekday() % 7)
    return Period(sunday - timedelta(days=6), sunday)


def _last(days: int) -> Callable[[Period, date], Period]:
    return lambda _data, anchor: Period(anchor - timedelta(days=days - 1), anchor)


_PERIODS: dict[Preset, Callable[[Period, date], Period]] = {
    "last_week": _last_week,
    "last_7_days": _last(7),
    "last_28_days": _last(28),
    "last_90_days": _last(90),
    "this_month": lambda _data, anchor: Period(anchor.replace(day=1), anchor),
    "last_month": lambda _data, anchor: month_of(anchor.replace(day=1) - timedelta(days=1)),
    "all": lambda data, _anchor: data,
}


def preset_period(preset: Preset, *, data: Period, anchor: date) -> Period:
    """The days of a preset; `anchor` is the last complete day, `data` the days that the marts hold.

    Raises:
        KeyError: `custom`, whose days a person names.
    """
    return _PERIODS[preset](data, anchor)


def compared_with(period: Period, comparison: Comparison, preset: Preset) -> Period | None:
    """The period that `period` is compared with; None: with nothing.

    Calendar months are compared with the month before (a month to date with as many of its days);
    a year before keeps the weekdays.
    """
    if comparison == "none":
        return None
    if comparison == "year":
        return period.shifted(-YEAR_OF_WEEKS)
    if preset in ("this_month", "last_month"):
        before = month_of(period.first - timedelta(days=1))
        if preset == "last_month":
            return before
        return Period(before.first, min(before.last, before.first + timedelta(days=period.days - 1)))
    return period.shifted(timedelta(days=-period.days))
