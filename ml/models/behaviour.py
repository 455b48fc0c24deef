"""Behaviour and value on scales in which distances mean something."""

from typing import Any, Self

import numpy as np
import pandas as pd

from ml.models.table import TableReader

#: A number whose skewness passes this is put on a log scale.
_SKEWED = 1.0
#: Scaled values beyond this many standard deviations are held there, so that one odd row makes no segment.
_FARTHEST = 5.0
#: Values farther beyond a column's outer twentieths than this many times their distance from its median are held
#: there: a mistyped amount would otherwise stretch the scale until all others look alike.
_FENCE = 20.0


class BehaviourScale:
    """Numbers of a table, logged where skewed, filled at the median, with mean 0 and variance 1.

    Attributes:
        names: the columns taken.
        logged: which of them are on a log scale.
    """

    #: Borders of what is believed; models of earlier versions have none.
    low: Any = -np.inf
    high: Any = np.inf

    def fit(self, frame: pd.DataFrame) -> Self:
        """Learn the scales from training rows.

        Raises:
            ValueError: no column differs between rows.
        """
        self.reader = TableReader().fit(frame)
        kept = self.reader.numbers_ or self.reader.categories_
        if not kept and frame.shape[1]:
            raise ValueError("No column differs between rows: there is nothing to tell segments by.")
        self.names = [column.name for column in kept]
        self.by_numbers = bool(self.reader.numbers_)
        self.marks = [len(column.levels) + 2 for column in kept] if not self.by_numbers else []
        raw = self.raw(frame)
        if self.by_numbers:
            self.low, self.high = _fences(raw)
            raw = np.clip(raw, self.low, self.high)
            self.filling = np.nanmedian(raw, axis=0)
            self.logged = np.array([_skewness(raw[:, i]) > _SKEWED for i in range(raw.shape[1])])
            self.start = np.nanmin(raw, axis=0)
            self.width = np.array([_width(raw[:, i]) for i in range(raw.shape[1])])
            scaled = self._bend(raw)
        else:
            scaled = self._spread(raw)
        self.mean = scaled.mean(axis=0)
        deviation = scaled.std(axis=0)
        self.deviation = np.where(deviation < 1e-12, 1.0, deviation) if self.by_numbers else np.ones(len(deviation))
        return self

    def raw(self, frame: pd.DataFrame) -> np.ndarray:
        """The columns as they are (NaN where missing; category codes if there is no number)."""
        matrix = self.reader.transform(frame)
        return matrix[:, : len(self.names)]

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Scaled points, one column for each name (or for each level if there is no number)."""
        raw = self.raw(frame)
        scaled = self._bend(raw) if self.by_numbers else self._spread(raw)
        limit = _FARTHEST if self.by_numbers else np.inf
        return np.asarray(np.clip((scaled - self.mean) / self.deviation, -limit, limit))

    def _bend(self, raw: np.ndarray) -> np.ndarray:
        held = np.clip(raw, self.low, self.high)
        filled = np.where(np.isnan(held), self.filling, held)
        logs = np.log1p(np.maximum(filled - self.start, 0.0) / self.width)
        return np.asarray(np.where(self.logged, logs, filled))

    def _spread(self, raw: np.ndarray) -> np.ndarray:
        blocks = [(raw[:, [i]] == np.arange(size)).astype(float) for i, size in enumerate(self.marks)]
        return np.hstack(blocks)


def _fences(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value believed of each column; infinite where a twentieth lies on the median."""
    low, middle, high = np.nanquantile(raw, [0.05, 0.5, 0.95], axis=0)
    below, above = middle - low, high - middle
    return (
        np.where(below > 0, low - _FENCE * below, -np.inf),
        np.where(above > 0, high + _FENCE * above, np.inf),
    )


def _skewness(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    spread = known.std()
    return float(np.mean(((known - known.mean()) / spread) ** 3)) if spread > 0 else 0.0


def _width(values: np.ndarray) -> float:
    """Unit of a log scale: the smallest step of counts and of money alike would do, a low quantile is steadier."""
    known = values[~np.isnan(values)]
    above = known[known > known.min()] - known.min()
    return float(np.quantile(above, 0.05)) if len(above) else 1.0
