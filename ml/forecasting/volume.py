"""Calls per queue and half-hour: learnt from queue visits, judged by forecasts from past evenings."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from core.settings import Settings
from ml.customers.churn import TooLittleDataError
from ml.evaluation import coverage, mase, wape
from ml.features import connect, span
from ml.models import VolumeForecaster
from ml.parameters import parameters

MODEL = "volume"
#: The key under which the series of all queues together stands.
ALL_QUEUES = 0
_ORIGINS_DAYS_BACK = (35, 21, 7)
#: A half-hour that holds less than this share of the calls is closed.
_OPEN_SHARE = 0.001
_LEAST_DAYS = 21
_SERIES = """
select queue_key, date_key, half_hour_key, count(*) as calls
from marts.fct_queue_visit
where date_key >= $first and visit_number = 1
group by queue_key, date_key, half_hour_key
"""
_STRETCHES = {"1-7": (1, 7), "8-21": (8, 21), "22-35": (22, 35)}


def series(settings: Settings) -> tuple[dict[int, pd.Series], date]:
    """Calls that joined each queue by half-hour (Asia/Shanghai, open hours, zeros where nobody called), and all.

    Returns:
        queue key -> series (0: all queues together), and the day after the last whole one.

    Raises:
        TooLittleDataError: fewer than three weeks.
    """
    covered = span(settings)
    if covered.days < _LEAST_DAYS:
        raise TooLittleDataError(f"The marts hold {covered.days} days of calls; a forecast needs {_LEAST_DAYS}.",
                                 "Gather more history first.")  # fmt: skip
    first = max(covered.first, covered.last - timedelta(days=parameters()["forecast"]["history_days"]))
    with connect(settings) as connection:
        visits = connection.execute(_SERIES, {"first": int(first.strftime("%Y%m%d"))}).df()
    if visits.empty:
        raise TooLittleDataError("No call joined a queue: there is nothing to forecast.", "Ingest calls first.")
    moment = pd.to_datetime(visits["date_key"].astype(str)) + pd.to_timedelta(
        visits["half_hour_key"].astype("int64") * 30, unit="min"
    )
    share = visits.groupby("half_hour_key")["calls"].sum() / visits["calls"].sum()
    is_open = set(share[share >= _OPEN_SHARE].index)
    grid = pd.date_range(pd.Timestamp(first), pd.Timestamp(covered.last) + pd.Timedelta("23:30:00"), freq="30min")
    grid = grid[[(at.hour * 2 + at.minute // 30) in is_open for at in grid]]
    table = visits.assign(at=moment).pivot_table(index="at", columns="queue_key", values="calls", aggfunc="sum")
    table = table.reindex(grid).fillna(0.0)
    found = {int(key): table[key].astype(np.float64) for key in table.columns}
    found[ALL_QUEUES] = table.sum(axis=1)
    return found, covered.next_day


def learn(settings: Settings) -> tuple[dict[str, VolumeForecaster], dict[str, Any], pd.DataFrame, date]:
    """A forecaster a queue; judged on forecasts from past evenings against the median of six same weekdays."""
    found, as_of = series(settings)
    models = {str(key): VolumeForecaster().fit(calls) for key, calls in found.items()}
    errors = [row for key, calls in found.items() for row in judged(key, calls)]
    overall = [row for row in errors if row["queue_key"] == ALL_QUEUES]
    weight = np.array([row["calls"] for row in overall])
    told = {name: float(np.average([row[name] for row in overall], weights=weight)) if len(overall) else float("nan")
            for name in ("wape", "baseline_wape", "mase", "coverage_80")}  # fmt: skip
    told["errors"] = errors  # type: ignore[assignment]  # a dict of mixed values
    return models, told, pd.DataFrame({"calls": found[ALL_QUEUES]}).reset_index(names="at"), as_of


def judged(key: int, calls: pd.Series) -> list[dict[str, Any]]:
    """Error and coverage by days ahead, of forecasts from past evenings; empty if the history is too short."""
    moments = pd.DatetimeIndex(calls.index)
    last = moments[-1].normalize()
    parts = []
    for back in _ORIGINS_DAYS_BACK:
        evening = last - pd.Timedelta(days=back)
        past, later = calls[calls.index < evening], calls[calls.index >= evening]
        if pd.DatetimeIndex(past.index).normalize().nunique() < _LEAST_DAYS:
            continue
        quantiles = VolumeForecaster().fit(past).predict(later.index, [0.1, 0.5, 0.9])
        coming = pd.DatetimeIndex(later.index)
        ahead = (coming.normalize() - evening).days + 1
        parts.append(pd.DataFrame({"actual": later.to_numpy(), "middle": quantiles[0.5].to_numpy(),
                                   "low": quantiles[0.1].to_numpy(), "high": quantiles[0.9].to_numpy(),
                                   "naive": median_of_weeks(past, coming), "ahead": ahead}))  # fmt: skip
    if not parts:
        return []
    table = pd.concat(parts, ignore_index=True)
    week = calls.groupby(moments.normalize()).size().median() * 7
    rows = []
    for name, (first, end) in _STRETCHES.items():
        part = table[(table["ahead"] >= first) & (table["ahead"] <= end)]
        if len(part) and part["actual"].sum() > 0:
            rows.append({
                "queue_key": key, "days_ahead": name, "half_hours": len(part), "calls": float(part["actual"].sum()),
                "wape": wape(part["actual"], part["middle"]), "baseline_wape": wape(part["actual"], part["naive"]),
                "mase": mase(part["actual"], part["middle"], calls.to_numpy(), int(week)),
                "coverage_80": coverage(part["actual"], part["low"], part["high"]),
            })  # fmt: skip
    return rows


def median_of_weeks(past: pd.Series, wanted: pd.DatetimeIndex, weeks: int = 6) -> np.ndarray:
    """The median of the last `weeks` same weekdays at the same time: the baseline to beat."""
    seen = pd.DatetimeIndex(past.index)
    key = pd.MultiIndex.from_arrays([seen.day_of_week, seen.time])
    recent = past.groupby(key).apply(lambda group: float(group.iloc[-weeks:].median()))
    middle: np.ndarray = (
        recent.reindex(pd.MultiIndex.from_arrays([wanted.day_of_week, wanted.time])).fillna(0.0).to_numpy(np.float64)
    )
    return middle
