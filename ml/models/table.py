"""Any table as the matrices that models learn from, and which column each matrix column came from."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ml.models.columns import FEW_LEVELS, Column, as_frame, as_number, as_text, inspect

#: Rows of other evidence that a level's target rate is drawn towards the mean with.
_SHRINKAGE_ROWS = 20.0


class TableReader(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Read numbers and category codes from a table of any mixture of columns.

    `transform` gives a float64 matrix, one column for each column kept: numbers (NaN where missing) first, then
    category codes (0 missing, 1 unseen or rare, 2… the levels kept, most frequent first).
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find what each column is."""
        self.columns_: list[Column] = inspect(as_frame(X))
        self.numbers_ = [c for c in self.columns_ if c.kind in ("number", "time")]
        self.categories_ = [c for c in self.columns_ if c.kind == "category"]
        self.positions_ = np.array([c.position for c in [*self.numbers_, *self.categories_]], dtype=np.int64)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Matrix of shape (rows, numbers + categories)."""
        check_is_fitted(self)
        frame = as_frame(X)
        out = np.empty((len(frame), len(self.positions_)), order="F")
        for place, column in enumerate(self.numbers_):
            out[:, place] = as_number(frame.iloc[:, column.position], column.kind, day_first=column.day_first)
        for place, column in enumerate(self.categories_, start=len(self.numbers_)):
            out[:, place] = _codes(frame.iloc[:, column.position], column.levels)
        return out


def _codes(column: pd.Series, levels: list[str]) -> np.ndarray:
    codes, texts = as_text(column)
    place = {level: code for code, level in enumerate(levels, start=2)}
    lookup = np.array([*(place.get(text, 1) for text in texts), 0], dtype=np.float64)
    return np.asarray(lookup[codes])


class TargetRates:
    """Each category code's mean target, drawn towards the overall mean; unseen codes give the overall mean."""

    def __init__(self, codes: np.ndarray, target: np.ndarray, size: int) -> None:
        self.mean = float(target.mean())
        counts = np.bincount(codes, minlength=size)
        sums = np.bincount(codes, weights=target, minlength=size)
        self.rates = (sums + _SHRINKAGE_ROWS * self.mean) / (counts + _SHRINKAGE_ROWS)

    def __getitem__(self, codes: np.ndarray) -> np.ndarray:
        return np.asarray(self.rates[codes])

    def crossed(self, codes: np.ndarray, target: np.ndarray, random_state: int, folds: int = 5) -> np.ndarray:
        """As `[codes]`, each row's rate learnt from the other folds: what a new row of this code would see.

        Leaving out only the row itself would tell its own target (its rate lies lower when its target is 1).
        """
        fold = np.random.default_rng(random_state).integers(0, folds, len(codes))
        out = np.empty(len(codes))
        for number in range(folds):
            inside = fold == number
            if inside.all() or not inside.any():
                out[inside] = self.mean
                continue
            out[inside] = TargetRates(codes[~inside], target[~inside], len(self.rates))[codes[inside]]
        return out


def spline_knots(values: np.ndarray, pieces: int) -> np.ndarray:
    """Distinct quantiles of the known values, ends included; at least one value is needed."""
    known = values[~np.isnan(values)]
    return np.unique(np.quantile(known, np.linspace(0.005, 0.995, pieces + 1)))


def spline_basis(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Natural cubic spline of `values` (no NaN) held constant outside the outer knots: len(knots) - 1 columns.

    Formula: Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 5.2.1, on values scaled to 0..1.
    """
    if len(knots) < 2:
        return np.asarray(np.sign(values - knots[0])[:, None])
    low, high = knots[0], knots[-1]
    scaled = (np.clip(values, low, high) - low) / (high - low)
    if len(knots) == 2:
        return np.asarray(scaled[:, None])
    inner = (knots - low) / (high - low)
    beyond = np.maximum(scaled[:, None] - inner[None, :], 0.0)
    cubes = beyond * beyond * beyond
    last = cubes[:, -1]
    slopes = (cubes[:, :-1] - last[:, None]) / (1.0 - inner[:-1])
    return np.column_stack([scaled, slopes[:, :-1] - slopes[:, -1:]])


class LinearDesign:
    """Columns for a linear model: splines of numbers, marks of what is missing, one column a level or its target rate.

    After `fit_transform`, `source` names for every column of the design the column of the reader's matrix it came from.
    """

    def __init__(self, reader: TableReader, random_state: int = 0, pieces: int = 5) -> None:
        self.numbers = len(reader.numbers_)
        self.levels = [len(column.levels) + 2 for column in reader.categories_]
        self.pieces = pieces
        self.random_state = random_state

    def fit_transform(self, matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Learn knots, fillings, rates and scales from training rows, and return their design."""
        self.knots = [spline_knots(matrix[:, i], self.pieces) for i in range(self.numbers)]
        self.filling = [float(np.nanmedian(matrix[:, i])) for i in range(self.numbers)]
        self.gaps = [bool(np.isnan(matrix[:, i]).any()) for i in range(self.numbers)]
        codes = matrix[:, self.numbers :].astype(np.int64)
        self.rates = [TargetRates(codes[:, i], target, size) for i, size in enumerate(self.levels)]
        raw, self.source = self._raw(matrix, target)
        self.mean = raw.mean(axis=0)
        spread = raw.std(axis=0)
        # A level that few rows hold must not be blown up to unit variance: that would undo the penalty on it.
        self.scale = np.where(spread < 1e-12, 1.0, np.maximum(spread, 0.1 * self._is_mark))
        return np.asarray((raw - self.mean) / self.scale)

    def transform(self, matrix: np.ndarray) -> np.ndarray:
        """Design of new rows."""
        return np.asarray((self._raw(matrix, None)[0] - self.mean) / self.scale)

    def dot(self, matrix: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """`transform(matrix) @ slopes` without writing the scaled design down."""
        scaled = slopes / self.scale
        return np.asarray(self._raw(matrix, None)[0] @ scaled - self.mean @ scaled)

    def _raw(self, matrix: np.ndarray, target: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        blocks: list[np.ndarray] = [np.empty((len(matrix), 0))]
        source: list[int] = []
        marks: list[bool] = []

        def add(block: np.ndarray, place: int, *, mark: bool) -> None:
            blocks.append(block)
            source.extend([place] * block.shape[1])
            marks.extend([mark] * block.shape[1])

        for i in range(self.numbers):
            missing = np.isnan(matrix[:, i])
            add(spline_basis(np.where(missing, self.filling[i], matrix[:, i]), self.knots[i]), i, mark=False)
            if self.gaps[i]:
                add(missing[:, None].astype(float), i, mark=True)
        for i, size in enumerate(self.levels):
            codes = matrix[:, self.numbers + i].astype(np.int64)
            if size - 2 <= FEW_LEVELS:
                add((codes[:, None] == np.arange(size)[None, :]).astype(float), self.numbers + i, mark=True)
            else:
                rates = (
                    self.rates[i][codes] if target is None else self.rates[i].crossed(codes, target, self.random_state)
                )
                add(rates[:, None], self.numbers + i, mark=False)
        self._is_mark = np.array(marks, dtype=float)
        return np.hstack(blocks), np.array(source, dtype=np.int64)


class TreeDesign:
    """Columns for trees: numbers as they are, categories as their target rate; one for each column of the matrix."""

    def __init__(self, reader: TableReader, random_state: int = 0) -> None:
        self.numbers = len(reader.numbers_)
        self.levels = [len(column.levels) + 2 for column in reader.categories_]
        self.random_state = random_state

    def fit_transform(self, matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Learn the rates from training rows, and return their design."""
        codes = matrix[:, self.numbers :].astype(np.int64)
        self.rates = [TargetRates(codes[:, i], target, size) for i, size in enumerate(self.levels)]
        out = matrix.copy()
        for i, rates in enumerate(self.rates):
            many = self.levels[i] - 2 > FEW_LEVELS
            out[:, self.numbers + i] = (
                rates.crossed(codes[:, i], target, self.random_state) if many else rates[codes[:, i]]
            )
        return out

    def transform(self, matrix: np.ndarray) -> np.ndarray:
        """Design of new rows."""
        out = matrix.copy()
        for i, rates in enumerate(self.rates):
            out[:, self.numbers + i] = rates[matrix[:, self.numbers + i].astype(np.int64)]
        return out
