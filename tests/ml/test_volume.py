"""Volumes: better than the median of six weeks, intervals that hold, any step and any gaps."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone

from ml.evaluation import coverage, wape
from ml.models import VolumeForecaster
from tests.ml.conftest import FULL


def half_hours(days: int, *, seed: int = 0, first: str = "2025-03-03", zone: str | None = None) -> pd.Series:
    """Half-hourly calls from 08:00 to 20:00 with a quiet weekend and a noon peak."""
    rng = np.random.default_rng(seed)
    index = pd.date_range(first, periods=days * 48, freq="30min", tz=zone)
    index = index[(index.hour >= 8) & (index.hour < 20)]
    weekend = np.where(index.day_of_week > 4, 0.4, 1.0)
    mean = 60 * weekend * np.exp(-(((index.hour - 12) / 4) ** 2)) + 5
    day = np.repeat(rng.lognormal(0, 0.08, days), len(index) // days)
    return pd.Series(rng.poisson(mean * day), index=index)


def test_a_week_ahead_of_a_bank_beats_the_median_and_its_interval_holds(public: Path) -> None:
    calls = pd.read_csv(public / "calls_5min_100days.csv", parse_dates=["DateTime"])
    series = calls.groupby(calls["DateTime"].dt.floor("30min"))["Calls"].sum()
    days = series.index.normalize().unique()
    rows = []
    for start in range(40, 96, 5 if FULL else 10):
        train = series[series.index < days[start]]
        test = series[series.index.isin(series.index[series.index.normalize().isin(days[start : start + 5])])]
        forecast = VolumeForecaster().fit(train).predict(test.index)
        usual = [
            train[(train.index.day_of_week == m.day_of_week) & (train.index.time == m.time())].iloc[-6:].median()
            for m in test.index
        ]
        naive = train.iloc[-5 * 29 :].to_numpy()[: len(test)]
        rows.append(
            pd.DataFrame(
                {"y": test, "p": forecast[0.5], "low": forecast[0.1], "high": forecast[0.9], "u": usual, "n": naive}
            )
        )
    judged = pd.concat(rows)
    ours, median = wape(judged["y"], judged["p"]), wape(judged["y"], judged["u"])
    held = coverage(judged["y"], judged["low"], judged["high"])
    print("WAPE", ours, "median", median, "naive", wape(judged["y"], judged["n"]), "P80 holds", held)
    assert ours < (0.0615 if FULL else 0.067)
    assert ours < median < wape(judged["y"], judged["n"])
    assert 0.74 < held < 0.9


def test_intervals_hold_on_new_weeks_and_widen_with_the_quantile() -> None:
    series = half_hours(150)
    model = VolumeForecaster().fit(series.iloc[: 120 * 24])
    later = series.iloc[120 * 24 :]
    forecast = model.predict(later.index, quantiles=(0.05, 0.1, 0.5, 0.9, 0.95))
    assert list(forecast.columns) == [0.05, 0.1, 0.5, 0.9, 0.95]
    assert (forecast.diff(axis=1).iloc[:, 1:] >= 0).all().all()
    assert 0.7 < coverage(later, forecast[0.1], forecast[0.9]) < 0.9
    assert wape(later, forecast[0.5]) < 0.2
    assert model.backtest_wape_ < 0.2


def test_the_horizon_is_a_number_a_length_or_the_moments() -> None:
    series = half_hours(30)
    weekdays = series[series.index.day_of_week < 5]
    model = VolumeForecaster().fit(weekdays)
    following = model.predict(24 * 7).index
    assert (following.day_of_week < 5).all()
    assert following.min() > weekdays.index.max()
    assert model.predict("14D").index.equals(model.predict(24 * 10).index)
    assert model.predict(pd.Timedelta("1D")).index.equals(model.predict(24).index) or len(model.predict("1D")) == 0
    moments = pd.date_range("2025-04-04", "2025-04-07", freq="6h")
    asked = model.predict(moments)
    assert asked.index.equals(moments)
    assert (asked.loc["2025-04-05"] == 0).all().all()
    assert (asked.loc["2025-04-04 00:00"] == 0).all()
    assert asked.loc["2025-04-04 12:00", 0.5] > 30
    assert model.predict(0).empty
    assert model.predict_mean(24).sum() > 0


@pytest.mark.parametrize("zone", [None, "Asia/Shanghai", "UTC", "America/New_York"])
def test_zones_are_kept(zone: str | None) -> None:
    model = VolumeForecaster().fit(half_hours(21, zone=zone))
    assert str(model.predict(48).index.tz) == str(zone)
    assert model.predict(48).index[0].hour == 8


def test_missing_days_and_gaps_are_no_zeros() -> None:
    series = half_hours(80)
    lost = series.index.normalize().isin(series.index.normalize().unique()[[20, 33, 34, 52, 75, 79]])
    holes = np.random.default_rng(0).random(len(series)) < 0.1
    gappy = series[~lost & ~holes]
    whole = VolumeForecaster().fit(series).predict_mean(series.index[-168:] + pd.Timedelta("7D"))
    rest = VolumeForecaster().fit(gappy).predict_mean(series.index[-168:] + pd.Timedelta("7D"))
    assert rest.sum() == pytest.approx(whole.sum(), rel=0.06)
    nan = series.astype(float).where(~lost & ~holes)
    assert VolumeForecaster().fit(nan).predict_mean(rest.index).sum() == pytest.approx(rest.sum(), rel=1e-9)


def test_holidays_are_used_where_the_history_shows_them() -> None:
    index = pd.date_range("2023-01-01", "2024-09-15", freq="D")
    from core.calendar import day_of

    kinds = np.array([day_of(day.date()).kind for day in index])
    level = np.where(
        kinds == "holiday", 20, np.where(kinds == "make_up", 100, np.where(index.day_of_week > 4, 40, 100))
    )
    series = pd.Series(np.random.default_rng(0).poisson(level), index=index)
    autumn = pd.date_range("2024-09-16", "2024-10-18", freq="D")
    model = VolumeForecaster().fit(series)
    forecast = model.predict_mean(autumn)
    assert model.grid_.holidays == "auto"
    assert forecast["2024-10-01":"2024-10-07"].mean() < 35
    assert forecast["2024-10-12"] > 80
    deaf = VolumeForecaster(holidays=False).fit(series).predict_mean(autumn)
    assert deaf["2024-10-02"] > 60
    foreign = pd.Series(np.random.default_rng(0).poisson(np.where(index.day_of_week > 4, 40, 100)), index=index)
    stranger = VolumeForecaster().fit(foreign)
    assert stranger.grid_.holidays is False
    assert stranger.predict_mean(autumn)["2024-10-02"] > 60


@pytest.mark.parametrize("step", ["5min", "15min", "h", "6h", "D", "W", "MS"])
def test_any_regular_step(step: str) -> None:
    periods = {"5min": 288 * 10, "15min": 96 * 20, "h": 24 * 40, "6h": 4 * 60, "D": 120, "W": 80, "MS": 40}[step]
    index = pd.date_range("2024-01-01", periods=periods, freq=step)
    series = pd.Series(np.random.default_rng(0).poisson(50, periods), index=index)
    forecast = VolumeForecaster().fit(series).predict(20)
    assert forecast.index.equals(pd.date_range(index[-1], periods=21, freq=step)[1:])
    assert (forecast[0.5] > 35).all()
    assert (forecast[0.5] < 65).all()
    assert (forecast[0.9] > forecast[0.1]).all()


@pytest.mark.parametrize("length", [1, 2, 5, 24, 72])
def test_the_shortest_histories_give_a_forecast(length: int) -> None:
    forecast = VolumeForecaster().fit(half_hours(4).iloc[:length]).predict(30)
    assert np.isfinite(forecast).all().all()
    assert (forecast >= 0).all().all()
    assert len(forecast) == 30


def test_no_calls_at_all_and_a_single_burst() -> None:
    index = pd.date_range("2025-01-01", periods=48 * 30, freq="30min")
    quiet = VolumeForecaster().fit(pd.Series(0, index=index)).predict(48)
    assert (quiet == 0).all().all()
    burst = pd.Series(0, index=index)
    burst.iloc[700] = 5000
    assert np.isfinite(VolumeForecaster().fit(burst).predict(48)).all().all()


def test_what_is_no_series_of_counts_is_refused_in_words() -> None:
    index = pd.date_range("2025-01-01", periods=3, freq="D")
    with pytest.raises(TypeError, match="Series"):
        VolumeForecaster().fit([1, 2, 3])  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(TypeError, match="index"):
        VolumeForecaster().fit(pd.Series([1, 2, 3]))
    with pytest.raises(ValueError, match="no value"):
        VolumeForecaster().fit(pd.Series([np.nan] * 3, index=index))
    with pytest.raises(ValueError, match="negative"):
        VolumeForecaster().fit(pd.Series([1, -1, 2], index=index))
    with pytest.raises(ValueError, match="twice"):
        VolumeForecaster().fit(pd.Series([1, 1, 2], index=index[[0, 0, 1]]))
    with pytest.raises(ValueError, match="quantiles"):
        VolumeForecaster().fit(pd.Series([1, 1, 2], index=index)).predict(3, quantiles=(0, 1))


def test_repeats_exactly_and_survives_the_registry_file() -> None:
    series = half_hours(90)
    model = VolumeForecaster().fit(series)
    assert model.predict(100).equals(clone(model).fit(series).predict(100))
    blob = skops.io.dumps(model)
    loaded = skops.io.loads(blob, trusted=skops.io.get_untrusted_types(data=blob))
    assert np.allclose(loaded.predict(100), model.predict(100))
