"""Does targeting find those whom the treatment moves? Qini curves of a randomised trial."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Qini:
    """Area between a score's Qini curve and the random line, divided by the square of the rows.

    Attributes:
        value: the area; random targeting has 0.
        low, high: bootstrap interval of the area.
        level: confidence of that interval.
        effect: mean effect of the treatment per row (treated rate − control rate).
    """

    value: float
    low: float
    high: float
    level: float
    effect: float

    @property
    def shows_evidence(self) -> bool:
        """Whether the interval lies wholly above 0: targeting by this score beats random."""
        return self.low > 0


def qini_curve(outcome: Any, treated: Any, score: Any) -> pd.DataFrame:
    """Rows targeted (`n`) and incremental outcomes gained (`gain`), highest score first; equal scores are one step.

    gain(n) = outcomes of the treated − outcomes of the controls × treated / controls, among the first n
    (Radcliffe 2007).
    """
    y, t, s = _arrays(outcome, treated, score)
    order, ends = _steps(s)
    n, gain = _curve(y[order], t[order], np.ones(len(y)), ends)
    return pd.DataFrame({"n": n, "gain": gain})


def qini(
    outcome: Any, treated: Any, score: Any, *, level: float = 0.95, draws: int = 500, random_state: int = 0
) -> Qini:
    """Qini area of a score with its bootstrap interval (rows redrawn with their scores).

    Args:
        outcome: 0/1 or an amount, one a row.
        treated: True or 1 where the row was treated.
        score: higher is targeted first.
    """
    y, t, s = _arrays(outcome, treated, score)
    order, ends = _steps(s)
    y, t = y[order], t[order]
    areas = [_area(y, t, weights, ends) for weights in _redraws(len(y), draws, random_state)]
    low, high = _interval(areas, level)
    effect = float(y[t].mean() - y[~t].mean())
    return Qini(_area(y, t, np.ones(len(y)), ends), low, high, level, effect)


def qini_gain(
    outcome: Any,
    treated: Any,
    score: Any,
    other: Any,
    *,
    level: float = 0.95,
    draws: int = 500,
    random_state: int = 0,
) -> Qini:
    """How much larger the area of `score` is than that of `other`, on the same redrawn rows (a paired bootstrap)."""
    y, t, first = _arrays(outcome, treated, score)
    second = _arrays(outcome, treated, other)[2]
    (a, a_ends), (b, b_ends) = _steps(first), _steps(second)

    def difference(weights: np.ndarray) -> float:
        return _area(y[a], t[a], weights[a], a_ends) - _area(y[b], t[b], weights[b], b_ends)

    low, high = _interval([difference(weights) for weights in _redraws(len(y), draws, random_state)], level)
    return Qini(difference(np.ones(len(y))), low, high, level, float(y[t].mean() - y[~t].mean()))


@dataclass(frozen=True)
class ColumnRule:
    """Target by one column: each group of its values gets the effect that the trial showed for it.

    Attributes:
        column: the column's name.
        edges: inner borders of a number's groups; empty: each value is a group.
        effects: group -> effect; a number's groups are "0", "1", … from the lowest.
        mean: effect of a group that the trial did not hold.
    """

    column: str
    edges: tuple[float, ...]
    effects: dict[str, float]
    mean: float

    def scores(self, X: pd.DataFrame) -> np.ndarray:
        """Score of each row of a table that holds the column."""
        groups = _groups(X[self.column], self.edges)
        return np.array([self.effects.get(group, self.mean) for group in groups], dtype=np.float64)


def best_column_rule(X: pd.DataFrame, outcome: Any, treated: Any) -> ColumnRule:
    """The one column whose groups (quintiles of a number) order these rows by effect best: the rule to beat."""
    y, t, _ = _arrays(outcome, treated, np.zeros(len(X)))
    rules = [_rule(X, str(name), y, t) for name in X.columns]
    if not rules:
        raise ValueError("The table has no column to make a rule of.")
    return max(rules, key=lambda rule: _plain_area(y, t, rule.scores(X)))


def _rule(X: pd.DataFrame, name: str, y: np.ndarray, t: np.ndarray) -> ColumnRule:
    column = X[name]
    edges: tuple[float, ...] = ()
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > 5:
        inner = np.nanquantile(column.to_numpy(np.float64), [0.2, 0.4, 0.6, 0.8])
        edges = tuple(float(edge) for edge in np.unique(inner))
    groups = _groups(column, edges)
    mean = float(y[t].mean() - y[~t].mean())
    effects = {}
    for group in np.unique(groups):
        treated, control = y[t & (groups == group)], y[~t & (groups == group)]
        effects[str(group)] = float(treated.mean() - control.mean()) if len(treated) and len(control) else mean
    return ColumnRule(name, edges, effects, mean)


def _groups(column: pd.Series, edges: tuple[float, ...]) -> np.ndarray:
    if edges:
        return np.searchsorted(edges, column.to_numpy(np.float64), side="left").astype(str)
    return column.astype(str).to_numpy(dtype=object).astype(str)


def _plain_area(y: np.ndarray, t: np.ndarray, s: np.ndarray) -> float:
    order, ends = _steps(s)
    return _area(y[order], t[order], np.ones(len(y)), ends)


def _arrays(outcome: Any, treated: Any, score: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y = np.asarray(outcome, dtype=np.float64).ravel()
    t = np.asarray(treated).ravel().astype(bool)
    s = np.asarray(score, dtype=np.float64).ravel()
    if not len(y) == len(t) == len(s):
        raise ValueError(f"{len(y)} outcomes, {len(t)} treatments and {len(s)} scores were given; as many are needed.")
    if t.all() or not t.any():
        raise ValueError("All rows are of one arm; a trial needs treated rows and controls.")
    if np.isnan(y).any() or np.isnan(s).any():
        raise ValueError("Outcomes or scores hold NaN; leave those rows out.")
    return y, t, s


def _steps(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Order from the highest score down, and the last place of every run of equal scores."""
    order = np.argsort(-s, kind="stable")
    return order, np.append(np.flatnonzero(np.diff(s[order]) != 0), len(s) - 1)


def _curve(y: np.ndarray, t: np.ndarray, weights: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    treated, control = np.cumsum(weights * t)[ends], np.cumsum(weights * ~t)[ends]
    gained, by_itself = np.cumsum(weights * t * y)[ends], np.cumsum(weights * ~t * y)[ends]
    ratio = np.divide(treated, control, out=np.zeros(len(ends)), where=control > 0)
    return np.append(0.0, treated + control), np.append(0.0, gained - by_itself * ratio)


def _area(y: np.ndarray, t: np.ndarray, weights: np.ndarray, ends: np.ndarray) -> float:
    n, gain = _curve(y, t, weights, ends)
    return float(np.trapezoid(gain - gain[-1] * n / n[-1], n) / n[-1] ** 2)


def _redraws(rows: int, draws: int, random_state: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(random_state)
    for _ in range(draws):
        yield np.bincount(rng.integers(0, rows, rows), minlength=rows).astype(np.float64)


def _interval(values: list[float], level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
