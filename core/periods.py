"""Runs of local days (Asia/Shanghai), as figures are asked for."""

from dataclasses import dataclass
from datetime import date, timedelta

#: A year before on the same weekdays: 52 whole weeks.
YEAR_OF_WEEKS = timedelta(days=364)


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
