"""How fast the models fit and score a customer table, how fast a complaint's type is suggested, and staffing."""

import resource
from collections.abc import Callable
from time import perf_counter
from typing import TypeVar

import numpy as np
import pandas as pd

from ml.models import ComplaintClassifier, PropensityClassifier, Segmenter, UpliftClassifier, VolumeForecaster
from ml.staffing import cover, seats_per_interval, shift_templates

Row = dict[str, object]
T = TypeVar("T")

#: Rows scored and rows fitted on, by size; a province has 2.6 million customers.
SCORED = {"small": 200_000, "province": 2_600_000}
FITTED = {"small": 50_000, "province": 500_000}
_SUGGESTIONS = 500
_WORDS = [
    "电视",
    "没有",
    "画面",
    "声音",
    "宽带",
    "网速",
    "太慢",
    "账单",
    "多扣",
    "费用",
    "机顶盒",
    "黑屏",
    "投诉",
    "安装",
    "预约",
    "师傅",
]


def run(size: str) -> list[Row]:
    """Rows of name, value, unit, aim, note; `size` is small (0.2 M customers) or province (2.6 M)."""
    return [*_scores(SCORED[size], FITTED[size]), *_complaints(), *_volumes()]


def customers(rows: int, seed: int = 1) -> pd.DataFrame:
    """A table of 40 columns: 32 numbers (some missing), 6 categories, a date and a flag."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.lognormal(1, 1, (rows, 32)).astype(np.float32), columns=[f"use_{i}" for i in range(32)])
    table.loc[rng.random(rows) < 0.1, "use_0"] = np.nan
    for place, levels in enumerate((2, 3, 5, 11, 107, 900)):
        codes = rng.integers(0, levels, rows)
        table[f"kind_{place}"] = pd.Categorical.from_codes(codes, pd.Index([f"level {i}" for i in range(levels)]))
    table["since"] = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 4000, rows), unit="D")
    table["flag"] = rng.random(rows) < 0.3
    return table


def _scores(scored: int, fitted: int) -> list[Row]:
    rng = np.random.default_rng(2)
    table, sample = customers(scored), customers(fitted, seed=3)
    odds = np.log(sample["use_1"]) + sample["flag"] - 4 + 0.5 * (sample["kind_2"] == "level 1")
    left = rng.random(fitted) < 1 / (1 + np.exp(-odds))
    called = rng.random(fitted) < 0.5
    rows = []
    churn, seconds = _timed(lambda: PropensityClassifier().fit(sample, left))
    rows.append(_row(f"churn fit, {fitted:,} rows × 40", seconds, "s"))
    _, seconds = _timed(lambda: churn.predict_proba(table))
    note = f"{scored:,} rows × 40 in {seconds:.1f} s"
    rows.append(_row("churn scores", scored / seconds, "rows/s", "2.6 M, all models, in 180 s", note))
    _, seconds = _timed(lambda: churn.explain(table.iloc[:50_000]))
    rows.append(_row("reasons of scores", 50_000 / seconds, "rows/s"))
    uplift, seconds = _timed(lambda: UpliftClassifier(held_back_rows=50_000).fit(sample, left, called))
    rows.append(_row(f"uplift fit, {fitted:,} rows × 40", seconds, "s"))
    _, seconds = _timed(lambda: uplift.predict(table))
    rows.append(_row("uplift scores", scored / seconds, "rows/s", "", f"{scored:,} rows in {seconds:.1f} s"))
    behaviour = [f"use_{i}" for i in range(8)]
    segments, seconds = _timed(lambda: Segmenter(n_clusters=6).fit(table[behaviour]))
    rows.append(_row(f"segments fit, {scored:,} rows × 8", seconds, "s"))
    _, seconds = _timed(lambda: segments.predict(table[behaviour]))
    rows.append(_row("segments of rows", scored / seconds, "rows/s"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    rows.append(_row("peak memory", peak, "GB", "< 6"))
    return rows


def _complaints() -> list[Row]:
    rng = np.random.default_rng(4)
    texts = ["".join(rng.choice(_WORDS, 12)) for _ in range(8000)]
    types = [f"{i % 4}.{i % 12}.{i % 60}" for i in rng.integers(0, 60, len(texts))]
    model, seconds = _timed(lambda: ComplaintClassifier(folds=2).fit(texts, types))
    rows = [_row("complaint types fit, 8,000 texts, 60 types", seconds, "s")]
    each = [_timed(lambda text=text: model.suggest(text))[1] for text in texts[:_SUGGESTIONS]]  # type: ignore[misc]  # bound
    slowest = f"slowest of {_SUGGESTIONS}: {max(each) * 1000:.1f} ms"
    rows.append(
        _row("complaint suggestions, one by one", 1 / float(np.median(each)), "/s", "> 20 (50 ms each)", slowest)
    )
    return rows


def _volumes() -> list[Row]:
    index = pd.date_range("2025-01-01", periods=48 * 365, freq="30min")
    calls = pd.Series(np.random.default_rng(5).poisson(80, len(index)), index=index)
    model, seconds = _timed(lambda: VolumeForecaster().fit(calls))
    rows = [_row("volume fit, a year of half-hours", seconds, "s")]
    _, seconds = _timed(lambda: model.predict("35D"))
    rows.append(_row("five weeks of half-hours", seconds, "s"))
    volumes = (calls.iloc[:336]).tolist()
    needs, seconds = _timed(lambda: seats_per_interval(volumes, 1800, 200, patience_seconds=180))
    rows.append(_row("seats of a week's half-hours (Erlang A)", seconds, "s"))
    shifts = shift_templates(48, 30, hours=(8, 6, 4), wraps=True)
    _, seconds = _timed(lambda: cover([need.agents for need in needs[:48]], shifts))
    rows.append(_row("shift cover of a day, 144 shifts", seconds, "s"))
    return rows


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = perf_counter()
    result = work()
    return result, perf_counter() - started


def _row(name: str, value: float, unit: str, aim: str = "", note: str = "") -> Row:
    return {"name": name, "value": value, "unit": unit, "aim": aim, "note": note}
