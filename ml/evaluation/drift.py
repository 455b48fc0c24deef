"""Has the population changed since training? Population stability index over bins fixed at training."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

#: A bin never seen on one side counts as this share, so that the index stays finite.
_FLOOR = 1e-4


@dataclass(frozen=True)
class Bins:
    """The bins of one column, fixed on the training rows; missing values and values never seen have bins of their own.

    Attributes:
        edges: inner edges of a number's bins (right end included), empty for a category.
        levels: a category's levels, empty for a number.
        shares: share of the training rows in each bin: the bins in order, then unseen, then missing.
    """

    edges: tuple[float, ...]
    levels: tuple[str, ...]
    shares: tuple[float, ...]

    @classmethod
    def of(cls, reference: Any, bins: int = 10, most_levels: int = 50) -> Self:
        """Bins of equally many rows of a number, one for each frequent level of anything else."""
        column = pd.Series(np.asarray(reference) if not isinstance(reference, pd.Series) else reference)
        edges: tuple[float, ...] = ()
        levels: tuple[str, ...] = ()
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            known = column.dropna().to_numpy(np.float64)
            if len(known):
                inner = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1))[1:-1])
                edges = tuple(float(edge) for edge in inner)
        else:
            levels = tuple(column.dropna().astype(str).value_counts().index[:most_levels])
        empty = cls(edges, levels, ())
        return cls(edges, levels, tuple(float(share) for share in empty.share(column)))

    def share(self, values: Any) -> np.ndarray:
        """Share of rows in each bin: the bins in order, then unseen, then missing."""
        column = pd.Series(np.asarray(values) if not isinstance(values, pd.Series) else values)
        missing = column.isna().to_numpy()
        if self.levels:
            place = {level: number for number, level in enumerate(self.levels)}
            size = len(self.levels)
            bins = column.astype(str).map(place).fillna(size).to_numpy(np.int64)
        else:
            size = len(self.edges) + 1
            numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
            bins = np.where(np.isnan(numbers), size, np.searchsorted(np.array(self.edges), numbers, side="left"))
        bins = np.where(missing, size + 1, bins)
        return np.asarray(np.bincount(bins, minlength=size + 2) / max(len(column), 1))

    def psi(self, actual: Any) -> float:
        """Population stability index of new rows: below 0.1 stable, above 0.25 changed."""
        before = np.maximum(np.array(self.shares), _FLOOR)
        after = np.maximum(self.share(actual), _FLOOR)
        return float(np.sum((after - before) * np.log(after / before)))


def psi(reference: Any, actual: Any, bins: int = 10) -> float:
    """Population stability index of `actual` against `reference`, whose values fix the bins."""
    return Bins.of(reference, bins).psi(actual)
