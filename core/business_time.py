"""Business time by prefix sums: C(t) is how long a calendar had been open up to t, elapsed time is C(t1) - C(t0).

An instant is open when the local wall clock of the calendar's zone reads inside a window of that day: an hour that
the clocks skip counts nothing, an hour that they repeat counts twice. Whole microseconds throughout, no floats.
"""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.calendar import Window
from core.errors import ConfigurationError
from core.settings import TIME_ZONE
from core.time import require_aware

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: A calendar whose targets are not used up within this many years has no opening to speak of.
_FURTHEST_YEARS = 200


def _number(instant: datetime) -> int:
    return (require_aware(instant) - _EPOCH) // _MICROSECOND


def _instant(number: int) -> datetime:
    return _EPOCH + timedelta(microseconds=number)


@dataclass(frozen=True)
class Interval:
    """A stretch of time from `start` up to, but without, `end`."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.end - self.start


@dataclass(frozen=True)
class _Openings:
    """Opening intervals of the years `first` … `last` in microseconds, with the sums before each."""

    first: int
    last: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]

    def up_to(self, number: int) -> int:
        index = bisect_right(self.starts, number) - 1
        if index < 0:
            return 0
        return self.before[index] + min(number, self.ends[index]) - self.starts[index]

    @property
    def total(self) -> int:
        return self.before[-1] + self.ends[-1] - self.starts[-1] if self.starts else 0


class BusinessCalendar:
    """Weekly windows in a zone, with days that follow another weekday's windows or none.

    Args:
        windows: the week; several a day are allowed, 24:00 is 86400.
        days: days that deviate: the ISO weekday whose windows they follow, or None for closed all day.
        zone: name of the time zone in which windows and days are read.
        names: (zh, en) names of days, for explanations.

    Raises:
        ConfigurationError: the week has no window.
    """

    def __init__(
        self,
        windows: Iterable[Window],
        days: Mapping[date, int | None] | None = None,
        *,
        zone: str = TIME_ZONE,
        names: Mapping[date, tuple[str, str]] | None = None,
    ) -> None:
        week: dict[int, list[tuple[int, int]]] = {weekday: [] for weekday in range(1, 8)}
        for window in windows:
            week[window.weekday].append((window.opens_second, window.closes_second))
        if not any(week.values()):
            raise ConfigurationError("The calendar's week has no opening window.", "Give at least one window.")
        self._week = {weekday: sorted(each) for weekday, each in week.items()}
        self._days = dict(days or {})
        self.names = dict(names or {})
        self.zone = ZoneInfo(zone)
        self._openings = self._build(2020, 2027)

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Business time from `start` to `end`; negative if `end` comes first."""
        openings = self._covering(start, end)
        return timedelta(microseconds=openings.up_to(_number(end)) - openings.up_to(_number(start)))

    def add(self, start: datetime, amount: timedelta) -> datetime:
        """The first instant at which `amount` of business time has passed since `start`.

        An amount used up exactly at closing time ends at that closing time, not at the next opening.

        Raises:
            ValueError: `amount` is negative.
            ConfigurationError: the calendar is closed for so long that the amount is never used up.
        """
        wanted = amount // _MICROSECOND
        if wanted < 0:
            raise ValueError(f"{amount} is negative; business time is added forwards only")
        if wanted == 0:
            return require_aware(start)
        openings = self._covering(start)
        for _ in range(_FURTHEST_YEARS):
            goal = openings.up_to(_number(start)) + wanted
            if goal <= openings.total:
                index = bisect_left(openings.before, goal) - 1
                return _instant(openings.starts[index] + goal - openings.before[index])
            openings = self._extend(openings.first, openings.last + 1)
        raise ConfigurationError("The calendar has no opening left to use the target up.", "Check its days off.")

    def is_open(self, instant: datetime) -> bool:
        """Whether business time passes right after `instant`."""
        openings, number = self._covering(instant), _number(instant)
        index = bisect_right(openings.starts, number) - 1
        return index >= 0 and number < openings.ends[index]

    def next_open(self, instant: datetime) -> datetime:
        """`instant` if it is open, else the next opening."""
        return require_aware(instant) if self.is_open(instant) else self.add(instant, _MICROSECOND) - _MICROSECOND

    def opens_on(self, day: date) -> bool:
        """Whether the calendar has any window on that local day."""
        return bool(self._windows(day))

    def intervals(self, start: datetime, end: datetime) -> list[Interval]:
        """The open stretches between `start` and `end`, in order; their lengths add up to `elapsed`."""
        openings = self._covering(start, end)
        low, high = _number(start), _number(end)
        first = max(bisect_right(openings.starts, low) - 1, 0)
        found = []
        for index in range(first, bisect_left(openings.starts, high)):
            begin, finish = max(openings.starts[index], low), min(openings.ends[index], high)
            if begin < finish:
                found.append(Interval(_instant(begin), _instant(finish)))
        return found

    def _covering(self, *instants: datetime) -> _Openings:
        years = [require_aware(instant).year for instant in instants]
        openings = self._openings
        if min(years) - 1 < openings.first or max(years) + 1 > openings.last:
            return self._extend(min(min(years) - 1, openings.first), max(max(years) + 1, openings.last))
        return openings

    def _extend(self, first: int, last: int) -> _Openings:
        # One assignment, so that threads that share the calendar see the old years or the new ones, never half.
        self._openings = self._build(first, last)
        return self._openings

    def _build(self, first: int, last: int) -> _Openings:
        starts: list[int] = []
        ends: list[int] = []
        for begin, finish in self._stretches(first, last):
            if ends and begin == ends[-1]:
                ends[-1] = finish
            else:
                starts.append(begin)
                ends.append(finish)
        lengths = (end - start for start, end in zip(starts, ends, strict=True))
        before = tuple(itertools.accumulate(lengths, initial=0))[: len(starts)]
        return _Openings(first, last, tuple(starts), tuple(ends), before)

    def _stretches(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Open stretches in order of time, piece by piece of constant offset from UTC."""
        for begin, finish, offset in self._pieces(first, last):
            day = (_instant(begin) + offset).date()
            final = (_instant(finish) + offset).date()
            while day <= final:
                midnight = _number(datetime(day.year, day.month, day.day, tzinfo=UTC) - offset)
                for opens, closes in self._windows(day):
                    start = max(midnight + opens * 1_000_000, begin)
                    end = min(midnight + closes * 1_000_000, finish)
                    if start < end:
                        yield start, end
                day += timedelta(days=1)

    def _windows(self, day: date) -> Sequence[tuple[int, int]]:
        weekday = self._days.get(day, day.isoweekday())
        return self._week[weekday] if weekday else ()

    def _pieces(self, first: int, last: int) -> Iterator[tuple[int, int, timedelta]]:
        """(from, to, offset) of each stretch between two changes of the zone's offset."""
        begin = datetime(first, 1, 1, tzinfo=UTC)
        end = datetime(last + 1, 1, 1, tzinfo=UTC)
        start, probe = begin, begin
        while probe < end:
            after = min(probe + timedelta(days=1), end)
            if self._offset(after) != self._offset(probe):
                change = self._change(probe, after)
                yield _number(start), _number(change), self._offset(probe)
                start = change
            probe = after
        yield _number(start), _number(end), self._offset(start)

    def _change(self, low: datetime, high: datetime) -> datetime:
        """The instant in (low, high] from which the offset of `high` holds, to the second."""
        while high - low > timedelta(seconds=1):
            middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
            low, high = (middle, high) if self._offset(middle) == self._offset(low) else (low, middle)
        return high

    def _offset(self, instant: datetime) -> timedelta:
        return instant.astimezone(self.zone).utcoffset() or timedelta(0)
