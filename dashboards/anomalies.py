"""Days out of the ordinary: outside what the same weekdays of the eight weeks before let expect. Pure.

Expected is the median of the same weekday in the eight weeks before (at least four of them); usual is within three
robust standard deviations of it (1.4826 × median absolute deviation), but never narrower than chance alone would
scatter: for counts the square root of what is expected (Poisson), for shares one percentage point, else 2 % of it.
"""

from datetime import timedelta

import numpy as np
import pandas as pd

from core.periods import Period

WEEKS, FEWEST, WIDTH, TO_SIGMA = 8, 4, 3.0, 1.4826
_COUNTS = ("count",)
#: No figure of these units lies outside.
_RANGE = {"ratio": (0.0, 1.0), "score": (1.0, 5.0)}


def history_of(period: Period) -> Period:
    """The days that are needed to say what was to be expected in `period`: it and the eight weeks before."""
    return Period(period.first - timedelta(weeks=WEEKS), period.last)


def expected(values: pd.Series, unit: str) -> pd.DataFrame:
    """What each day was to be expected to be.

    Args:
        values: a figure by day (index: days without gaps; NULL: no value).
        unit: the figure's unit (core.kpi).

    Returns:
        By day: `expected`, `low`, `high` (NULL: too little history), `is_unusual`.
    """
    before = pd.concat([values.shift(7 * week) for week in range(1, WEEKS + 1)], axis=1).to_numpy(dtype=float)
    known = (~np.isnan(before)).sum(axis=1) >= FEWEST
    middle, spread = np.full(len(values), np.nan), np.full(len(values), np.nan)
    if known.any():
        rows = before[known]
        middle[known] = np.nanmedian(rows, axis=1)
        spread[known] = TO_SIGMA * np.nanmedian(np.abs(rows - middle[known][:, None]), axis=1)
    sigma = np.maximum(spread, _least(middle, unit))
    low, high = middle - WIDTH * sigma, middle + WIDTH * sigma
    least, most = _RANGE.get(unit, (0.0, np.inf))
    low, high = np.maximum(low, least), np.minimum(high, most)
    now = values.to_numpy(dtype=float)
    unusual = known & ~np.isnan(now) & ((now < low) | (now > high))
    return pd.DataFrame({"expected": middle, "low": low, "high": high, "is_unusual": unusual}, index=values.index)


def _least(middle: np.ndarray, unit: str) -> np.ndarray:
    """The scatter that chance alone makes."""
    if unit in _COUNTS:
        return np.asarray(np.sqrt(np.maximum(middle, 1.0)))
    return np.full_like(middle, 0.01) if unit == "ratio" else np.abs(middle) * 0.02
