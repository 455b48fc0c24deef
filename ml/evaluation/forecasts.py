"""How far a forecast lies from what came, and whether its interval holds what it promises."""

from typing import Any

import numpy as np


def wape(actual: Any, forecast: Any) -> float:
    """Sum of absolute errors over the sum of actuals; NaN if nothing came."""
    a, f = _pair(actual, forecast)
    return float(np.abs(a - f).sum() / np.abs(a).sum()) if np.abs(a).sum() > 0 else float("nan")


def mase(actual: Any, forecast: Any, history: Any, season: int = 1) -> float:
    """Mean absolute error over that of repeating the value one season before, in the history (Hyndman, Koehler 2006).

    NaN if the history is no longer than a season or repeats exactly.
    """
    a, f = _pair(actual, forecast)
    past = np.asarray(history, dtype=np.float64).ravel()
    scale = float(np.nanmean(np.abs(past[season:] - past[:-season]))) if len(past) > season else 0.0
    return float(np.abs(a - f).mean() / scale) if scale > 0 else float("nan")


def coverage(actual: Any, low: Any, high: Any) -> float:
    """Share of actuals within [low, high], ends included."""
    a, lower = _pair(actual, low)
    _, upper = _pair(actual, high)
    return float(((a >= lower) & (a <= upper)).mean())


def _pair(actual: Any, forecast: Any) -> tuple[np.ndarray, np.ndarray]:
    a, f = np.asarray(actual, dtype=np.float64).ravel(), np.asarray(forecast, dtype=np.float64).ravel()
    if len(a) != len(f) or not len(a):
        raise ValueError(f"{len(a)} actuals and {len(f)} forecasts were given; one forecast for each actual is needed.")
    if np.isnan(a).any() or np.isnan(f).any():
        raise ValueError("Actuals or forecasts hold NaN; leave those intervals out.")
    return a, f
