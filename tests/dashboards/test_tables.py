"""Shaping the tables behind the charts."""

from datetime import date

import pandas as pd
import pytest

from core.periods import Period
from dashboards.tables import by_day, child_under, compared, pareto, starts, weekday_means, with_share

WEEK = Period(date(2026, 10, 5), date(2026, 10, 7))


def test_days_without_a_row_break_the_line_and_the_period_before_is_moved_beside() -> None:
    now = pd.DataFrame({"day": pd.to_datetime(["2026-10-05", "2026-10-07"]), "contacts": [5, 7]})
    before = pd.DataFrame({"day": pd.to_datetime(["2026-10-02", "2026-10-03"]), "contacts": [2, 3]})
    table = by_day(now, before, "contacts", WEEK, gap=3)
    assert table["value"].tolist()[::2] == [5, 7]
    assert table["value"].isna().tolist() == [False, True, False]
    assert table["before"].tolist()[:2] == [2, 3]


def test_no_value_at_all_is_an_empty_table() -> None:
    nothing = pd.DataFrame({"day": pd.to_datetime([]), "contacts": []})
    assert by_day(nothing, None, "contacts", WEEK, gap=0).empty


def test_a_service_level_over_days_is_the_exact_one() -> None:
    mondays = pd.to_datetime(["2026-10-05", "2026-10-12", "2026-10-13"])
    rows = pd.DataFrame({"day": mondays, "half_hour": "08:30", "sl": [1.0, 0.5, None], "offered": [10, 30, 0]})
    table = weekday_means(rows, "sl", "offered")
    assert table.to_dict("records") == [{"weekday": 1, "half_hour": "08:30", "value": pytest.approx(25 / 40)}]


def test_counts_are_means_per_day() -> None:
    rows = pd.DataFrame({"day": pd.to_datetime(["2026-10-05", "2026-10-12"]), "half_hour": "08:30", "offered": [1, 2]})
    assert weekday_means(rows, "offered", None)["value"].tolist() == [1.5]


def test_pareto_is_sorted_and_sums_to_one() -> None:
    table = pareto({"fee": 2, "signal": 6, "other": 0}, {"signal": 3}, {"signal": "Signal", "fee": "Fees"})
    assert table["name"].tolist() == ["Signal", "Fees"]
    assert table["cumulative"].tolist() == [0.75, 1.0]
    assert table["before"].tolist() == [3, 0]
    assert pareto({}, None, {}).empty


@pytest.mark.parametrize(
    ("code", "above", "child"),
    [
        ("signal.digital_tv.freezing", None, "signal"),
        ("signal.digital_tv.freezing", "signal", "signal.digital_tv"),
        ("signal.digital_tv.freezing", "signal.digital_tv", "signal.digital_tv.freezing"),
        ("signal", "signal", "signal"),
    ],
)
def test_a_type_counts_under_its_ancestor_one_level_down(code: str, above: str | None, child: str) -> None:
    assert child_under(code, above) == child


def test_shares_add_up_within_their_group() -> None:
    table = with_share(pd.DataFrame({"row": ["a", "a", "b"], "value": [1, 3, 5]}), within=["row"])
    assert table["share"].tolist() == [0.25, 0.75, 1.0]


def test_a_key_that_is_new_had_nothing_before() -> None:
    now, before = pd.DataFrame({"k": ["a", "b"], "v": [1, 2]}), pd.DataFrame({"k": ["a"], "v": [9]})
    assert compared(now, before, "k", "v")["before"].tolist() == [9, 0]
    assert compared(now, None, "k", "v")["before"].isna().all()


def test_long_periods_are_summed_by_week() -> None:
    days = pd.Series(pd.to_datetime(["2026-10-07"]))
    assert starts(WEEK, days).tolist() == ["10-07"]
    assert starts(Period(date(2026, 8, 1), date(2026, 10, 29)), days).tolist() == ["10-05"]
