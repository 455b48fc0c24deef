"""Presets and comparisons, on a Thursday."""

from datetime import UTC, date, datetime

import pytest

from core.periods import Period
from dashboards.periods import Comparison, Preset, compared_with, last_complete_day, preset_period

DATA = Period(date(2026, 8, 1), date(2026, 10, 29))
THURSDAY = date(2026, 10, 29)


@pytest.mark.parametrize(
    ("preset", "first", "last"),
    [
        ("last_week", "2026-10-19", "2026-10-25"),
        ("last_7_days", "2026-10-23", "2026-10-29"),
        ("last_28_days", "2026-10-02", "2026-10-29"),
        ("last_90_days", "2026-08-01", "2026-10-29"),
        ("this_month", "2026-10-01", "2026-10-29"),
        ("last_month", "2026-09-01", "2026-09-30"),
        ("all", "2026-08-01", "2026-10-29"),
    ],
)
def test_presets(preset: Preset, first: str, last: str) -> None:
    period = preset_period(preset, data=DATA, anchor=THURSDAY)
    assert (str(period.first), str(period.last)) == (first, last)


def test_last_week_on_a_sunday_is_the_week_that_ends_there() -> None:
    assert preset_period("last_week", data=DATA, anchor=date(2026, 10, 25)).last == date(2026, 10, 25)


@pytest.mark.parametrize(
    ("preset", "comparison", "first", "last"),
    [
        ("last_7_days", "previous", "2026-10-16", "2026-10-22"),
        ("last_7_days", "year", "2025-10-24", "2025-10-30"),  # the same weekdays
        ("this_month", "previous", "2026-09-01", "2026-09-29"),
        ("last_month", "previous", "2026-08-01", "2026-08-31"),
        ("all", "previous", "2026-05-03", "2026-07-31"),
    ],
)
def test_comparisons(preset: Preset, comparison: Comparison, first: str, last: str) -> None:
    before = compared_with(preset_period(preset, data=DATA, anchor=THURSDAY), comparison, preset)
    assert before is not None
    assert (str(before.first), str(before.last)) == (first, last)


def test_a_month_to_date_longer_than_the_month_before_takes_all_of_it() -> None:
    march = Period(date(2026, 3, 1), date(2026, 3, 31))
    assert compared_with(march, "previous", "this_month") == Period(date(2026, 2, 1), date(2026, 2, 28))


def test_nothing_is_compared_on_request() -> None:
    assert compared_with(DATA, "none", "all") is None


@pytest.mark.parametrize(
    ("looked_at", "day"),
    [
        (datetime(2026, 10, 29, 15, 59, tzinfo=UTC), date(2026, 10, 28)),  # 23:59 in Shanghai: that day is not over
        (datetime(2026, 10, 29, 16, 0, tzinfo=UTC), date(2026, 10, 29)),  # midnight in Shanghai
        (datetime(2026, 12, 1, tzinfo=UTC), date(2026, 10, 29)),
        (datetime(2026, 7, 1, tzinfo=UTC), date(2026, 8, 1)),
        (None, date(2026, 10, 29)),
    ],
)
def test_a_day_is_complete_once_the_store_was_looked_at_after_it(looked_at: datetime | None, day: date) -> None:
    assert last_complete_day(DATA, looked_at) == day
