"""Splits by time: a model is judged on what came later, with a gap that the label needs to ripen."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd


def time_gap_split(times: Any, test_from: Any, gap: Any = "0D") -> tuple[np.ndarray, np.ndarray]:
    """Positions of training rows (before `test_from` − `gap`) and of test rows (from `test_from` on).

    Args:
        times: moment of each row; rows without one are in neither part.
        test_from: first moment of the test.
        gap: time left out before it (anything pandas reads as a duration), at least as long as the label's window.

    Raises:
        ValueError: a negative gap, or an empty part.
    """
    moments, start = _utc(times), _utc([test_from])[0]
    length = pd.Timedelta(gap)
    if length < pd.Timedelta(0):
        raise ValueError(f"gap is {gap!r}; it cannot be negative.")
    train = np.flatnonzero(moments < start - length)
    test = np.flatnonzero(moments >= start)
    if not len(train) or not len(test):
        raise ValueError(
            f"The split at {test_from} with a gap of {gap} leaves {len(train)} training and {len(test)} test rows; "
            f"the rows run from {moments.min()} to {moments.max()}."
        )
    return train, test


class TimeGapSplit:
    """Cross-validation by time: each test part is a later stretch, trained on all that lies a gap before it."""

    def __init__(self, times: Any, n_splits: int = 3, gap: Any = "0D") -> None:
        """`times` holds the moment of each row; the stretches hold equally many rows."""
        self.times = _utc(times)
        self.n_splits = n_splits
        self.gap = gap

    def split(self, X: Any = None, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Positions of training and test rows, earliest stretch first."""
        known = self.times.dropna().sort_values()
        starts = [known[number * len(known) // (self.n_splits + 1)] for number in range(self.n_splits + 1)]
        for number in range(1, self.n_splits + 1):
            train, rest = time_gap_split(self.times, starts[number], self.gap)
            last = number == self.n_splits
            yield train, rest if last else rest[self.times[rest] < starts[number + 1]]

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """The number of test stretches."""
        return self.n_splits


def _utc(times: Any) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(pd.Index(times), utc=True))
