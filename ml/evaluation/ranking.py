"""How well a score ranks, and whether its probabilities come true."""

from typing import Any

import numpy as np
import pandas as pd


def lift_at(outcome: Any, score: Any, share: float = 0.1) -> float:
    """Rate of the outcome among the `share` of rows with the highest scores, over the overall rate.

    Rows that tie at the border count in proportion (as if drawn by lot), so order never matters. NaN if nothing
    happened.
    """
    y, s = _pair(outcome, score)
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; it lies above 0 and up to 1.")
    wanted = max(share * len(y), 1.0)
    border = np.sort(s)[::-1][int(np.ceil(wanted)) - 1]
    above, at = s > border, s == border
    taken = y[above].sum() + y[at].mean() * (wanted - above.sum())
    return float(taken / wanted / y.mean()) if y.sum() else float("nan")


def calibration_table(outcome: Any, probability: Any, bins: int = 10) -> pd.DataFrame:
    """Rows, mean probability and observed rate in bins of equally many rows (ties stay together)."""
    y, p = _pair(outcome, probability)
    edges = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1))[1:-1])
    table = pd.DataFrame({"bin": np.searchsorted(edges, p, side="left"), "probability": p, "rate": y})
    grouped = table.groupby("bin")
    return grouped.mean().assign(rows=grouped.size()).reset_index(drop=True)[["rows", "probability", "rate"]]


def calibration_error(outcome: Any, probability: Any, bins: int = 10) -> float:
    """Expected calibration error: mean distance of predicted from observed rate over the bins, weighted by rows."""
    table = calibration_table(outcome, probability, bins)
    return float(np.average((table["probability"] - table["rate"]).abs(), weights=table["rows"]))


def _pair(outcome: Any, score: Any) -> tuple[np.ndarray, np.ndarray]:
    y, s = np.asarray(outcome, dtype=np.float64).ravel(), np.asarray(score, dtype=np.float64).ravel()
    if len(y) != len(s) or not len(y):
        raise ValueError(f"{len(y)} outcomes and {len(s)} scores were given; one score for each outcome is needed.")
    if np.isnan(y).any() or np.isnan(s).any():
        raise ValueError("Outcomes or scores hold NaN; leave those rows out.")
    return y, s
