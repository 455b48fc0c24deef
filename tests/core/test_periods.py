"""Stretches of days with figures: what is whole, and what has a hole."""

from datetime import date, timedelta

from core.periods import QUIET, Period, covers, runs_of

FIRST = date(2026, 9, 1)


def _days(*numbers: int) -> list[date]:
    return [FIRST + timedelta(days=number) for number in numbers]


def test_quiet_days_are_bridged_and_longer_holes_are_not() -> None:
    quiet, hole = QUIET, QUIET + 1
    assert runs_of(_days(0, 1, quiet + 2)) == (Period(*_days(0, quiet + 2)),)
    assert runs_of(_days(0, 1, hole + 2)) == (Period(*_days(0, 1)), Period(*_days(hole + 2, hole + 2)))
    assert runs_of([]) == ()


def test_a_period_is_held_by_one_stretch_to_its_last_day() -> None:
    runs = runs_of(_days(*range(10), *range(30, 40)))
    assert covers(runs, Period(*_days(0, 9))) and covers(runs, Period(*_days(31, 35)))
    assert not covers(runs, Period(*_days(-1, 5)))
    assert not covers(runs, Period(*_days(5, 35)))
    assert not covers(runs, Period(*_days(35, 40)))
