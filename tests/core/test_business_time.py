"""Business time equals what a clock that ticks would count, over holidays, make-up days, pauses and summer time."""

import itertools
import os
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.business_time import BusinessCalendar, Interval
from core.calendar import Window, days_between, follows_weekday, parse_windows
from core.errors import ConfigurationError

EXAMPLES = 300 if os.environ.get("CRM_TEST_FULL") else 25
OFFICE = parse_windows([[1, 5, "08:30", "12:00"], [1, 5, "14:00", "18:00"]], field="office")
SHANGHAI = ZoneInfo("Asia/Shanghai")
#: The week of National Day 2026: holidays from the 1st to the 7th, Saturday the 10th is made up.
AUTUMN = {
    day.day: follows_weekday(day, observes_holidays=True) for day in days_between(date(2026, 9, 1), date(2026, 10, 31))
}


def office() -> BusinessCalendar:
    return BusinessCalendar(OFFICE, AUTUMN)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def ticking_clock(
    windows: Iterable[Window], days: dict[date, int | None], zone: str, start: datetime, seconds: int
) -> int:
    """The oracle: one second after the other, is the wall clock inside a window?"""
    listed = list(windows)
    place, counted = ZoneInfo(zone), 0
    for offset in range(seconds):
        wall = (start + timedelta(seconds=offset)).astimezone(place)
        weekday = days.get(wall.date(), wall.isoweekday())
        second = wall.hour * 3600 + wall.minute * 60 + wall.second
        counted += any(w.weekday == weekday and w.opens_second <= second < w.closes_second for w in listed)
    return counted


def instants(
    first: datetime, *, hours: int, step: timedelta = timedelta(microseconds=1)
) -> st.SearchStrategy[datetime]:
    """Instants within `hours` after `first`."""
    return st.integers(0, timedelta(hours=hours) // step).map(lambda steps: first + steps * step)


@st.composite
def weeks(draw: st.DrawFn) -> list[Window]:
    windows = []
    for weekday in range(1, 8):
        edges = sorted(draw(st.lists(st.integers(0, 86400), max_size=6, unique=True)))
        windows += [Window(weekday, *pair) for pair in zip(edges[::2], edges[1::2], strict=False)]
    return windows or [Window(1, 0, 86400)]


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    windows=weeks(),
    days=st.dictionaries(
        st.dates(date(2026, 3, 5), date(2026, 3, 12)), st.one_of(st.none(), st.integers(1, 7)), max_size=4
    ),
    zone=st.sampled_from(["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"]),
    # New York skips an hour on 8 March 2026.
    start=instants(datetime(2026, 3, 6, tzinfo=UTC), hours=72, step=timedelta(seconds=1)),
    seconds=st.integers(0, 40_000),
)
def test_elapsed_time_equals_a_ticking_clock(
    windows: list[Window], days: dict[date, int | None], zone: str, start: datetime, seconds: int
) -> None:
    calendar = BusinessCalendar(windows, days, zone=zone)
    end = start + timedelta(seconds=seconds)
    expected = ticking_clock(windows, days, zone, start, seconds)
    assert calendar.elapsed(start, end) == timedelta(seconds=expected)
    assert sum((each.length for each in calendar.intervals(start, end)), timedelta()) == timedelta(seconds=expected)


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("America/New_York", datetime(2026, 3, 8, 4, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 3, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 12, tzinfo=UTC)),
        ("America/Havana", datetime(2026, 11, 1, 3, tzinfo=UTC)),
    ],
)
def test_a_skipped_hour_counts_nothing_and_a_repeated_one_twice(zone: str, start: datetime) -> None:
    windows = [Window(day, 23 * 3600, 86400) for day in range(1, 8)]
    windows += [Window(day, 1800, 5400) for day in range(1, 8)] + [Window(day, 7200, 10800) for day in range(1, 8)]
    expected = ticking_clock(windows, {}, zone, start, 43_200)
    calendar = BusinessCalendar(windows, zone=zone)
    assert calendar.elapsed(start, start + timedelta(hours=12)) == timedelta(seconds=expected)


@settings(max_examples=EXAMPLES * 4, deadline=None)
@given(
    start=instants(datetime(2026, 9, 20, tzinfo=UTC), hours=720),
    amount=st.timedeltas(timedelta(0), timedelta(days=6)),
)
def test_adding_undoes_elapsing_at_the_earliest_instant(start: datetime, amount: timedelta) -> None:
    calendar = office()
    due = calendar.add(start, amount)
    assert calendar.elapsed(start, due) == amount
    if amount:
        assert calendar.elapsed(start, due - timedelta(microseconds=1)) < amount


@settings(max_examples=EXAMPLES * 2, deadline=None)
@given(points=st.lists(instants(datetime(2026, 9, 25, tzinfo=UTC), hours=480), min_size=3, max_size=8))
def test_parts_add_up_to_the_whole(points: list[datetime]) -> None:
    calendar = office()
    ordered = sorted(points)
    parts = [calendar.elapsed(a, b) for a, b in itertools.pairwise(ordered)]
    assert sum(parts, timedelta()) == calendar.elapsed(ordered[0], ordered[-1])


def test_a_target_used_up_at_closing_time_is_due_at_that_closing_time() -> None:
    assert office().add(at("2026-09-28 14:00:00"), timedelta(hours=4)) == at("2026-09-28 18:00:00")
    assert office().add(at("2026-09-28 08:30:00"), timedelta(hours=3, minutes=30)) == at("2026-09-28 12:00:00")


def test_seconds_are_kept_over_the_holiday_and_the_made_up_saturday() -> None:
    start = at("2026-09-30 17:59:43")
    assert office().add(start, timedelta(seconds=18)) == at("2026-10-08 08:30:01")
    assert office().elapsed(at("2026-10-10 00:00"), at("2026-10-11 00:00")) == timedelta(hours=7, minutes=30)


def test_work_that_starts_when_closed_starts_at_the_opening() -> None:
    assert office().add(at("2026-10-03 10:00"), timedelta(minutes=5)) == at("2026-10-08 08:35")
    assert office().add(at("2026-10-03 10:00"), timedelta(0)) == at("2026-10-03 10:00")
    assert office().next_open(at("2026-10-03 10:00")) == at("2026-10-08 08:30")
    assert office().next_open(at("2026-10-08 09:00")) == at("2026-10-08 09:00")
    assert not office().is_open(at("2026-10-08 12:00"))


def test_round_the_clock_is_one_interval_for_any_year() -> None:
    always = BusinessCalendar([Window(day, 0, 86400) for day in range(1, 8)])
    start, end = at("2009-01-01 00:00"), at("2041-06-01 12:00:01")
    assert always.elapsed(start, end) == end - start
    assert always.intervals(start, end) == [Interval(start.astimezone(UTC), end.astimezone(UTC))]


def test_a_calendar_that_never_opens_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no opening window"):
        BusinessCalendar([])
    with pytest.raises(ValueError, match="negative"):
        office().add(at("2026-09-28 14:00"), timedelta(seconds=-1))
