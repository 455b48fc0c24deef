"""Simulated time: milliseconds from the local midnight of the first day; local days; what each day is."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from core.calendar import Day, days_between
from core.time import LOCAL
from simulator.columns import NEVER, Flags, Ints

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
YEAR_DAYS = 365
_UNIX_DAY = date(1970, 1, 1)


@dataclass(frozen=True)
class Clock:
    """The simulated period: `days` local days, the last one being `until`. The zone has no summer time."""

    until: date
    days: int

    @property
    def first(self) -> date:
        """First local day."""
        return self.until - timedelta(days=self.days - 1)

    @property
    def origin_us(self) -> int:
        """The local midnight that begins the first day, µs since 1970."""
        midnight = datetime(self.first.year, self.first.month, self.first.day, tzinfo=LOCAL)
        return int(midnight.timestamp()) * 1_000_000

    @property
    def end_ms(self) -> int:
        """The end of the last day: what would happen later has not happened."""
        return self.days * DAY_MS

    def utc_us(self, moment: Ints) -> Ints:
        """Microseconds since 1970 of simulated milliseconds; NEVER stays NEVER."""
        return np.where(moment == NEVER, NEVER, self.origin_us + moment * 1000)

    def unix_day(self, day: Ints) -> Ints:
        """Days since 1970 of simulated day numbers."""
        return np.asarray(day) + (self.first - _UNIX_DAY).days

    def day_list(self, *, before: int = 0, after: int = 0) -> list[Day]:
        """The period's days with their kinds, some before and after included."""
        return list(days_between(self.first - timedelta(days=before), self.until + timedelta(days=after)))

    def office_days(self, *, after: int) -> Flags:
        """Whether each day of the period, and `after` more, is worked in offices."""
        return np.array([day.kind in ("working", "make_up") for day in self.day_list(after=after)])
