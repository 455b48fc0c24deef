"""A day is out of the ordinary only against its own weekdays, and never for what chance alone makes."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from core.i18n import texts
from core.periods import Period
from dashboards.anomalies import WEEKS, expected, history_of
from dashboards.figures.trends import trend

DAYS = pd.date_range("2026-06-01", periods=12 * 7, freq="D")


def _calm(level: float = 400.0) -> pd.Series:
    """A quiet weekly course: weekends at half, a little noise."""
    noise = np.random.default_rng(1).normal(0, 6, len(DAYS))
    return pd.Series(np.where(DAYS.day_of_week >= 5, level / 2, level) + noise, index=DAYS)


def test_a_quiet_course_has_no_unusual_day_and_weekends_are_no_surprise() -> None:
    band = expected(_calm(), "count")
    assert not band["is_unusual"].any()
    assert band["low"].isna().sum() == 4 * 7, "four weeks of history come first"


@pytest.mark.parametrize(("day", "value"), [("2026-08-12", 700.0), ("2026-08-12", 120.0), ("2026-08-16", 400.0)])
def test_a_day_far_from_its_weekdays_is_marked_alone(day: str, value: float) -> None:
    values = _calm()
    values[pd.Timestamp(day)] = value
    band = expected(values, "count")
    assert list(band.index[band["is_unusual"]]) == [pd.Timestamp(day)]


def test_one_unusual_day_does_not_widen_the_band_of_the_next_weeks() -> None:
    values = _calm()
    values[pd.Timestamp("2026-07-15")] = 5000.0
    band = expected(values, "count")
    assert band.loc[pd.Timestamp("2026-07-22"), "high"] < 500


def test_few_cases_scatter_by_chance() -> None:
    values = pd.Series(np.random.default_rng(3).poisson(9, len(DAYS)).astype(float), index=DAYS)
    assert expected(values, "count")["is_unusual"].mean() < 0.05


def test_shares_stay_shares_and_days_without_a_value_say_nothing() -> None:
    values = pd.Series(0.99, index=DAYS)
    values.iloc[-1] = np.nan
    band = expected(values, "ratio")
    assert band["high"].max() <= 1.0 and not band["is_unusual"].any()


def test_the_history_is_asked_for_with_the_period() -> None:
    asked = history_of(Period(date(2026, 8, 1), date(2026, 8, 7)))
    assert (date(2026, 8, 1) - asked.first).days == 7 * WEEKS and asked.last == date(2026, 8, 7)


def test_the_chart_has_the_band_the_marks_and_the_notes() -> None:
    values = _calm()
    band = expected(values, "count").reset_index(names="day").assign(value=values.to_numpy(), before=np.nan)
    notes = pd.DataFrame({"day": [DAYS[-3]], "start": ["x"], "text": ["光缆中断"]})
    chart = trend(band, texts=texts("dashboards", "en"), unit="count", name="Contacts", notes=notes)
    marks = [layer["mark"]["type"] for layer in chart.to_dict()["layer"] if "mark" in layer]
    assert {"area", "line", "point", "rule"} <= set(marks)
    assert "光缆中断" in str(chart.to_dict())
