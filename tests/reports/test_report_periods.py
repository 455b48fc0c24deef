"""Which days a report tells of, and what it compares them with."""

from datetime import date

import pytest

from core.errors import BadInputError
from core.periods import Period
from reports.periods import as_kind, last_whole, period_with


@pytest.mark.parametrize(
    ("kind", "through", "key", "first", "last", "before"),
    [
        ("daily", date(2026, 3, 2), "2026-03-02", date(2026, 3, 2), date(2026, 3, 2), date(2026, 2, 23)),
        # Sunday ends the week; on a Saturday the week before is the last whole one.
        ("weekly", date(2026, 3, 8), "2026-W10", date(2026, 3, 2), date(2026, 3, 8), date(2026, 2, 23)),
        ("weekly", date(2026, 3, 7), "2026-W09", date(2026, 2, 23), date(2026, 3, 1), date(2026, 2, 16)),
        # An ISO week belongs to the year of its Thursday.
        ("weekly", date(2027, 1, 3), "2026-W53", date(2026, 12, 28), date(2027, 1, 3), date(2026, 12, 21)),
        ("monthly", date(2026, 2, 28), "2026-02", date(2026, 2, 1), date(2026, 2, 28), date(2026, 1, 1)),
        ("monthly", date(2026, 3, 30), "2026-02", date(2026, 2, 1), date(2026, 2, 28), date(2026, 1, 1)),
    ],
)
def test_last_whole_period(kind: str, through: date, key: str, first: date, last: date, before: date) -> None:
    found = last_whole(as_kind(kind), through)
    assert (found.key, found.period, found.before.first) == (key, Period(first, last), before)


def test_a_year_before_keeps_weekdays_or_the_month() -> None:
    assert period_with("daily", date(2026, 3, 2)).year_before == Period(date(2025, 3, 3), date(2025, 3, 3))
    assert period_with("monthly", date(2028, 2, 29)).year_before == Period(date(2027, 2, 1), date(2027, 2, 28))


def test_an_unknown_kind_is_told() -> None:
    with pytest.raises(BadInputError, match="'hourly'"):
        as_kind("hourly")
