"""Days and windows of a working calendar."""

from datetime import date

import pytest

from core.calendar import Day, day_of, follows_weekday, parse_windows
from core.errors import ConfigurationError


@pytest.mark.parametrize(
    ("day", "kind", "name"),
    [
        (date(2026, 10, 1), "holiday", "国庆节"),
        (date(2026, 10, 10), "make_up", "国庆节"),
        (date(2026, 3, 2), "working", None),
        (date(2026, 3, 1), "weekend", None),
        (date(2031, 10, 1), "working", None),
    ],
)
def test_day_kinds(day: date, kind: str, name: str | None) -> None:
    found = day_of(day)
    assert (found.kind, found.holiday_zh) == (kind, name)


def test_a_make_up_day_works_and_a_holiday_does_not() -> None:
    make_up, holiday = Day(date(2026, 10, 10), "make_up"), Day(date(2026, 10, 1), "holiday")
    assert follows_weekday(make_up, observes_holidays=True) == 5
    assert follows_weekday(holiday, observes_holidays=True) is None
    assert follows_weekday(holiday, observes_holidays=False) == 4


def test_windows_may_end_at_midnight() -> None:
    windows = parse_windows([[1, 7, "00:00", "24:00"]], field="always")
    assert len(windows) == 7
    assert windows[0].closes_second == 86400


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no opening window"),
        ([[1, 5, "08:00", "00:00"]], "not after it opens"),
        ([[1, 5, "25:00", "26:00"]], "not a time of day"),
        ([[1, 1, "08:00", "12:00"], [1, 1, "11:00", "13:00"]], "overlap"),
    ],
)
def test_wrong_windows_are_refused(rows: list[list[int | str]], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_windows(rows, field="office")
