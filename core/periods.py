"""Runs of local days (Asia/Shanghai), as figures are asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

#: A year before on the same weekdays: 52 whole weeks.
YEAR_OF_WEEKS = timedelta(days=364)
#: So many days in a row without figures may be a quiet time of a small branch; more are a hole in the data.
QUIET = 7


@dataclass(frozen=True)
class Period:
    """From `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """Its length in days."""
        return (self.last - self.first).days + 1

    def shifted(self, by: timedelta) -> "Period":
        """The same length, moved by `by`."""
        return Period(self.first + by, self.last + by)


def month_of(day: date) -> Period:
    """The calendar month of `day`."""
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return Period(day.replace(day=1), following - timedelta(days=1))


def runs_of(days: Iterable[date]) -> tuple[Period, ...]:
    """The stretches that `days` with figures cover, in order, holes of up to QUIET days bridged."""
    runs: list[Period] = []
    for day in sorted(days):
        if runs and (day - runs[-1].last).days <= QUIET + 1:
            runs[-1] = Period(runs[-1].first, day)
        else:
            runs.append(Period(day, day))
    return tuple(runs)


def covers(runs: Sequence[Period], period: Period) -> bool:
    """Whether one of `runs` holds every day of `period`: only such a period is worth comparing with."""
    return any(run.first <= period.first and period.last <= run.last for run in runs)
