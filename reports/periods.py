"""The day, week or month that a report tells of, and the ones it is compared with. Days are local (Asia/Shanghai)."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from core.errors import BadInputError
from core.periods import YEAR_OF_WEEKS, Period, month_of

Kind = Literal["daily", "weekly", "monthly"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class ReportPeriod:
    """A whole day, ISO week or calendar month."""

    kind: Kind
    period: Period

    @property
    def key(self) -> str:
        """What names it in archives and ledgers: 2026-03-02, 2026-W10, 2026-03."""
        first = self.period.first
        if self.kind == "daily":
            return first.isoformat()
        if self.kind == "weekly":
            year, week, _ = first.isocalendar()
            return f"{year}-W{week:02d}"
        return f"{first:%Y-%m}"

    @property
    def before(self) -> Period:
        """What it is compared with: the same weekday a week before, the week before, the month before."""
        if self.kind == "monthly":
            return month_of(self.period.first - timedelta(days=1))
        return self.period.shifted(timedelta(days=-7))

    @property
    def year_before(self) -> Period:
        """The same weekdays 52 weeks before; the same calendar month of the year before."""
        if self.kind == "monthly":
            return month_of(self.period.first.replace(year=self.period.first.year - 1))
        return self.period.shifted(-YEAR_OF_WEEKS)

    @property
    def trend(self) -> Period:
        """The days whose course is drawn: the month itself, otherwise the four weeks that end with it."""
        if self.kind == "monthly":
            return self.period
        return Period(self.period.last - timedelta(days=27), self.period.last)


def period_with(kind: Kind, day: date) -> ReportPeriod:
    """The period of `kind` that `day` lies in."""
    if kind == "daily":
        return ReportPeriod(kind, Period(day, day))
    if kind == "weekly":
        monday = day - timedelta(days=day.isoweekday() - 1)
        return ReportPeriod(kind, Period(monday, monday + timedelta(days=6)))
    return ReportPeriod(kind, month_of(day))


def last_whole(kind: Kind, through: date) -> ReportPeriod:
    """The latest period of `kind` that is over when `through` is the last complete day."""
    found = period_with(kind, through)
    return found if found.period.last <= through else period_with(kind, found.period.first - timedelta(days=1))


def as_kind(value: str) -> Kind:
    """The kind that `value` names; BadInputError if none."""
    for kind in KINDS:
        if value == kind:
            return kind
    raise BadInputError(f"There is no report {value!r}.", f"Known: {', '.join(KINDS)}.")
