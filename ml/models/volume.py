"""How many contacts will come in each interval, with honest intervals."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.utils.validation import check_is_fitted

from ml.models.dayprofile import DayProfile
from ml.models.inputs import seed_of
from ml.models.intervals import Holidays, IntervalGrid
from ml.models.threads import threads_for

_NEAR = 7
_FIRST_ORIGIN = 14
_BLENDS = (0.0, 0.25, 0.5, 0.75)
#: The boosting must lower the backtest's error by this share, or its noise costs more than it gives.
_WORTHWHILE = 0.02
_BLOCKS = 5
_ENOUGH = 300
#: Days that must have been forecast before a boosting is tried: fewer hold no month twice.
_ENOUGH_DAYS = 60
#: Days of backtest after which half of its median error is taken for a lasting one.
_LASTING_DAYS = 60


class VolumeForecaster(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Counts per interval: day total × intraday profile, bent by a Poisson gradient boosting, with conformal quantiles.

    Any regular step (5 minutes, half-hours, days, weeks); closed hours, closed weekdays and missing days may be left
    out. The backtest inside `fit` forecasts from past evenings; it decides how much of the boosting is blended in and
    how wide the quantiles are.

    Args:
        holidays: the State Council's holidays and make-up days (core.calendar): True, False, or "auto": only if the
            history's own holidays were unlike their weekdays.
        farthest_days: farthest day ahead that the backtest covers.
        origins: number of past evenings forecast from.
        random_state: seed of the boosting.

    Attributes:
        blend_: share of the boosting in the forecast; 0 if the history is short or the boosting gained too little.
        backtest_wape_: weighted absolute error of the backtest; NaN if the history is too short for one.
    """

    def __init__(
        self, *, holidays: Holidays = "auto", farthest_days: int = 35, origins: int = 30, random_state: Any = 0
    ) -> None:
        self.holidays = holidays
        self.farthest_days = farthest_days
        self.origins = origins
        self.random_state = random_state

    def fit(self, y: pd.Series, _: Any = None) -> Self:
        """Fit on counts indexed by the moment at which their interval starts.

        Raises:
            TypeError: no Series, or an index without moments.
            ValueError: no value, negative values, or a moment twice.
        """
        self.grid_ = IntervalGrid(y, self.holidays)
        self.profile_ = DayProfile(self.grid_, len(self.grid_.days))
        self._seed = seed_of(self.random_state)
        self.blend_, self.backtest_wape_ = 0.0, float("nan")
        self.booster_: Any = None
        trials = self._trials()
        actual, expected = (trials["actual"], trials["expected"]) if trials else self._within()
        ahead = trials["ahead"] if trials else np.ones(len(actual))
        self.days_judged_ = len(np.unique(trials["row"])) if trials else len(self.grid_.days)
        if trials and len(actual) >= _ENOUGH and self.days_judged_ >= _ENOUGH_DAYS:
            with threads_for(len(actual), 10):
                expected = self._boost(trials)
        self._spread(actual, expected, ahead)
        if trials and actual.sum() > 0:
            self.backtest_wape_ = float(np.abs(actual - expected).sum() / actual.sum())
        return self

    def predict(self, horizon: Any, quantiles: Sequence[float] = (0.1, 0.5, 0.9)) -> pd.DataFrame:
        """Quantiles of the counts of coming intervals.

        Args:
            horizon: a number of open intervals, a length of time ("35D", a timedelta, an offset), or the moments
                wanted (an index).
            quantiles: each strictly between 0 and 1.

        Returns:
            One row an interval, one column a quantile (the numbers given); closed intervals hold 0.
        """
        check_is_fitted(self)
        levels = [float(level) for level in quantiles]
        if not levels or not all(0 < level < 1 for level in levels):
            raise ValueError(f"quantiles are {list(quantiles)}; each lies between 0 and 1.")
        index, expected, ahead = self._forecast(horizon)
        columns = {level: self._quantile(expected, ahead, level) for level in levels}
        return pd.DataFrame(columns, index=index)

    def predict_mean(self, horizon: Any) -> pd.Series:
        """Expected counts of coming intervals; `horizon` as in `predict`."""
        check_is_fitted(self)
        index, expected, _ = self._forecast(horizon)
        return pd.Series(expected, index=index, name="expected")

    def _forecast(self, horizon: Any) -> tuple[pd.DatetimeIndex, np.ndarray, np.ndarray]:
        wanted = _wanted(horizon, self.grid_.last)
        if wanted is not None:
            index = self.grid_.coming(wanted, self.profile_.open)
        else:
            index = pd.DatetimeIndex(horizon.index if isinstance(horizon, pd.Series | pd.DataFrame) else horizon)
        moments = self.grid_.local(index)
        if not len(moments):
            return index, np.empty(0), np.empty(0)
        rows, columns = self.grid_.place(moments)
        ahead = np.maximum(rows - (len(self.grid_.days) - 1), 1)
        needed, place = np.unique(rows, return_inverse=True)
        days = [self.grid_.day(int(row)) if row >= 0 else moments[rows == row][0].normalize() for row in needed]
        kinds = self.grid_.kinds_of(days)
        base = self.profile_.expected(kinds)[place, columns]
        if self.booster_ is not None and self.blend_ > 0:
            table = _features(pd.DatetimeIndex(days)[place], kinds[place], columns, ahead)
            base = base * (1.0 - self.blend_ + self.blend_ * self._ratio(self.booster_, table))
        return index, base, ahead

    def _trials(self) -> dict[str, np.ndarray] | None:
        """Forecasts from past evenings beside what came: one line an (origin, open interval)."""
        rows = len(self.grid_.days)
        first = min(_FIRST_ORIGIN, rows // 2)
        if rows < 6:
            return None
        count = min(self.origins, rows - first)
        parts = []
        # Origins fall on all weekdays alike, so that each day ahead is seen on each weekday.
        for origin in np.unique(np.linspace(first, rows - 1, count).astype(int)):
            parts.append(self._from(int(origin), min(int(origin) + self.farthest_days, rows)))
        trials = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        if not len(trials["actual"]):
            return None
        return trials

    def _from(self, origin: int, end: int) -> dict[str, np.ndarray]:
        profile = DayProfile(self.grid_, origin)
        kinds = self.grid_.kinds[origin:end]
        known = ~np.isnan(self.grid_.table[origin:end]) & profile.open[kinds]
        days, columns = np.nonzero(known)
        return {
            "actual": self.grid_.table[origin:end][days, columns],
            "expected": profile.expected(kinds)[days, columns],
            "row": days + origin,
            "column": columns,
            "ahead": days + 1,
        }

    def _within(self) -> tuple[np.ndarray, np.ndarray]:
        """The history against its own profile: all that a history of a few days offers."""
        expected = self.profile_.expected(self.grid_.kinds)
        known = ~np.isnan(self.grid_.table)
        return self.grid_.table[known], expected[known]

    def _boost(self, trials: dict[str, np.ndarray]) -> np.ndarray:
        """Fit the boosting, choose its share on days held back, and return the blended forecasts of those days."""
        rows, base, actual = trials["row"], trials["expected"], trials["actual"]
        table = _features(self.grid_.days[rows], self.grid_.kinds[rows], trials["column"], trials["ahead"])
        # Whole stretches of target days are held back: one day is the target of many evenings.
        block = (np.searchsorted(np.unique(rows), rows) * _BLOCKS // len(np.unique(rows))).astype(int)
        ratio = np.ones(len(base))
        usable = base > 0
        for number in range(_BLOCKS):
            train, held = usable & (block != number), block == number
            if train.sum() >= _ENOUGH // 2 and held.any():
                model = self._regressor().fit(table[train], actual[train] / base[train], sample_weight=base[train])
                ratio[held] = self._ratio(model, table[held])
        errors = [np.abs(actual - base * (1 - share + share * ratio)).sum() for share in _BLENDS]
        if min(errors) < (1.0 - _WORTHWHILE) * errors[0]:
            self.blend_ = float(_BLENDS[int(np.argmin(errors))])
        if self.blend_ > 0:
            weights = base[usable]
            self.booster_ = self._regressor().fit(table[usable], actual[usable] / weights, sample_weight=weights)
        return np.asarray(base * (1 - self.blend_ + self.blend_ * ratio))

    def _regressor(self) -> Any:
        return HistGradientBoostingRegressor(
            loss="poisson",
            max_leaf_nodes=8,
            learning_rate=0.05,
            max_iter=100,
            min_samples_leaf=60,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=self._seed,
        )

    @staticmethod
    def _ratio(model: Any, table: np.ndarray) -> np.ndarray:
        return np.asarray(np.clip(model.predict(table), 0.2, 5.0))

    def _spread(self, actual: np.ndarray, expected: np.ndarray, ahead: np.ndarray) -> None:
        """Errors in units of a spread that grows with the forecast, for near and far days apart."""
        usable = expected > 0
        mean, error = expected[usable], (actual - expected)[usable]
        excess = float(((error**2 - mean) / mean**2 * mean).sum() / mean.sum()) if len(mean) else 0.0
        self.dispersion_ = max(excess, 0.0)
        scaled = error / self._deviation(mean)
        near = ahead[usable] <= _NEAR
        self.errors_ = [np.sort(scaled[group]) if group.sum() >= 50 else np.sort(scaled) for group in (near, ~near)]

    def _deviation(self, mean: np.ndarray) -> np.ndarray:
        return np.asarray(np.sqrt(mean + self.dispersion_ * mean**2))

    def _quantile(self, expected: np.ndarray, ahead: np.ndarray, level: float) -> np.ndarray:
        steps = np.array([_conformal(errors, level, self.days_judged_) for errors in self.errors_])
        moved = expected + steps[(ahead > _NEAR).astype(int)] * self._deviation(expected)
        return np.where(expected > 0, np.maximum(moved, 0.0), 0.0)


def _wanted(horizon: Any, last: pd.Timestamp) -> int | pd.Timedelta | None:
    """The number of intervals or the length of time that `horizon` says; None: it holds the moments themselves."""
    wanted: int | pd.Timedelta
    if isinstance(horizon, pd.offsets.BaseOffset):
        wanted = last + horizon - last
    elif isinstance(horizon, str | timedelta | np.timedelta64):
        wanted = pd.Timedelta(horizon)
    elif isinstance(horizon, int | np.integer) and not isinstance(horizon, bool):
        wanted = int(horizon)
    else:
        return None
    if (wanted.value if isinstance(wanted, pd.Timedelta) else wanted) < 0:
        raise ValueError(f"horizon is {horizon}; it is 0 or more intervals, a length of time, or moments.")
    return wanted


def _conformal(errors: np.ndarray, level: float, days: int) -> float:
    """Quantile of past errors, one day outward for the day to come; a bell curve's where they are too few.

    The intervals of a day err together, so the margin of a split conformal quantile counts days, not intervals.
    """
    if len(errors) < 20:
        return float(norm.ppf(level))
    share = 0.5 + (level - 0.5) * (days + 1) / days
    # A few weeks' median error tells of the weather of those weeks more than of a lasting bias.
    passing = float(np.median(errors)) * _LASTING_DAYS / (days + _LASTING_DAYS)
    return float(np.quantile(errors, min(max(share, 0.0), 1.0))) - passing


def _features(days: pd.DatetimeIndex, kinds: np.ndarray, columns: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """What may bend the profile: time of day, weekday, place in month and year, days ahead."""
    return np.column_stack(
        [
            columns,
            kinds,
            days.day,
            days.days_in_month - days.day,
            ahead,
            kinds * 1000 + columns,
        ]
    ).astype(np.float64)
