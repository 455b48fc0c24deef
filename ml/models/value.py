"""What a customer will buy and be worth: BG/NBD for how often, Gamma-Gamma for how much."""

from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

_LOG_BOUNDS = (-9.0, 12.0)


class CustomerValue(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """BG/NBD (Fader, Hardie, Lee 2005) and Gamma-Gamma (Fader, Hardie 2013) by maximum likelihood.

    Args:
        penalty: pull of each logarithm of a parameter towards 0, per customer; 0 is plain maximum likelihood. A little
            (0.001) holds parameters that few customers leave undetermined.

    Attributes:
        params_: r, alpha (how often; alpha in the unit of time given), a, b (how soon they leave) and, if amounts were
            given, p, q, v (how much, v in the unit of money given).
        log_likelihood_: of the customers' purchases.
        has_money_: whether amounts were given and could be fitted.
    """

    def __init__(self, *, penalty: float = 0.0) -> None:
        self.penalty = penalty

    def fit(self, frequency: Any, recency: Any, T: Any, monetary: Any = None) -> Self:
        """Fit on one value a customer.

        Args:
            frequency: repeat purchases (the first is not counted).
            recency: time from the first to the last purchase; 0 if there is no repeat.
            T: time from the first purchase to the end of observation.
            monetary: mean amount of the repeat purchases; customers with none, or with no amount, do not count.

        Raises:
            ValueError: lengths that differ, missing or negative values, recency beyond T, nobody who ever came back.
        """
        x, t, length = _checked(frequency, recency, T)
        if not (x > 0).any():
            raise ValueError(
                "frequency is 0 for every customer: nobody came back, nothing can be learnt of when they do."
            )
        # Times near 1 keep the search well scaled; alpha is scaled back.
        unit = float(length.max())
        found = _minimise(lambda theta: _bgnbd_loss(theta, x, t / unit, length / unit), 4, self.penalty, len(x))
        r, alpha, a, b = np.exp(found.x)
        self.params_ = {"r": float(r), "alpha": float(alpha * unit), "a": float(a), "b": float(b)}
        self.log_likelihood_ = -_bgnbd_loss(found.x, x, t / unit, length / unit) - float(x.sum() * np.log(unit))
        self.has_money_ = False
        if monetary is not None:
            self._fit_money(x, np.asarray(monetary, dtype=np.float64).ravel())
        return self

    def probability_alive(self, frequency: Any, recency: Any, T: Any) -> np.ndarray:
        """Probability that each customer has not left; 1 for those without a repeat purchase (as in the model)."""
        check_is_fitted(self)
        x, t, length = _checked(frequency, recency, T)
        return np.where(x > 0, np.exp(-np.logaddexp(0.0, self._log_odds_left(x, t, length))), 1.0)

    def expected_purchases(self, horizon: float, frequency: Any, recency: Any, T: Any) -> np.ndarray:
        """Expected purchases of each customer within `horizon` from now (in the unit of T)."""
        check_is_fitted(self)
        if horizon < 0:
            raise ValueError(f"horizon is {horizon}; it is 0 or more.")
        x, t, length = _checked(frequency, recency, T)
        r, alpha, a, b = (self.params_[name] for name in ("r", "alpha", "a", "b"))
        a = a if abs(a - 1.0) > 1e-6 else 1.0 + 1e-6
        z = horizon / (alpha + length + horizon)
        # Euler's transformation of the published formula: without it large counts overflow.
        grown = hyp2f1(a + b - 1.0 - r, a - 1.0, a + b + x - 1.0, z) * (1.0 - z) ** (a - 1.0)
        bought = (a + b + x - 1.0) / (a - 1.0) * (1.0 - grown)
        bought = np.where(np.isfinite(bought), bought, (r + x) / (alpha + length) * horizon)
        alive = self.probability_alive(x, t, length)
        return np.asarray(np.maximum(bought, 0.0) * alive)

    def expected_amount(self, frequency: Any, monetary: Any) -> np.ndarray:
        """Expected mean amount of each customer's purchases; that of the population where none is known."""
        check_is_fitted(self)
        if not self.has_money_:
            raise ValueError("The model was fitted without amounts; give monetary to fit.")
        x = np.asarray(frequency, dtype=np.float64).ravel()
        m = np.nan_to_num(np.asarray(monetary, dtype=np.float64).ravel())
        p, q, v = (self.params_[name] for name in ("p", "q", "v"))
        x = np.where(m > 0, x, 0.0)
        # Where q ≤ 1 the population has no mean; a customer's own amounts then speak alone.
        return np.asarray(p * (v + m * x) / np.maximum(p * x + q - 1.0, 1e-6 + (q <= 1.0) * p))

    def expected_value(
        self, horizon: float, frequency: Any, recency: Any, T: Any, monetary: Any, margin: float = 1.0
    ) -> np.ndarray:
        """Expected purchases within `horizon` times expected amount times `margin`, in the unit of money given."""
        purchases = self.expected_purchases(horizon, frequency, recency, T)
        return np.asarray(purchases * self.expected_amount(frequency, monetary) * margin)

    def _log_odds_left(self, x: np.ndarray, t: np.ndarray, length: np.ndarray) -> np.ndarray:
        r, alpha, a, b = (self.params_[name] for name in ("r", "alpha", "a", "b"))
        since = np.log((alpha + length) / (alpha + t))
        return np.asarray(np.log(a) - np.log(np.maximum(b + x - 1.0, 1e-12)) + (r + x) * since)

    def _fit_money(self, x: np.ndarray, m: np.ndarray) -> None:
        if len(m) != len(x):
            raise ValueError(f"monetary holds {len(m)} values for {len(x)} customers.")
        if (m < 0).any() or np.isinf(m).any():
            raise ValueError(f"monetary holds {int((m < 0).sum())} negative or infinite amounts; it is 0 or more.")
        spent = (x > 0) & (m > 0)
        if spent.sum() < 2 or np.ptp(m[spent]) == 0:
            return
        unit = float(np.median(m[spent]))
        found = _minimise(
            lambda theta: _money_loss(theta, x[spent], m[spent] / unit), 3, self.penalty, int(spent.sum())
        )
        p, q, v = np.exp(found.x)
        self.params_.update({"p": float(p), "q": float(q), "v": float(v * unit)})
        self.has_money_ = True


def _minimise(loss: Any, size: int, penalty: float, customers: int) -> Any:
    def whole(theta: np.ndarray) -> float:
        value = loss(theta) / customers + penalty * float(theta @ theta)
        return value if np.isfinite(value) else 1e10

    starts = [np.zeros(size), np.full(size, 1.0), np.array([-1.0, 0.0, 0.0, 1.0])[:size]]
    bounds = [_LOG_BOUNDS] * size
    tries = [minimize(whole, start, method="L-BFGS-B", bounds=bounds) for start in starts]
    best = min(tries, key=lambda one: float(one.fun))
    # The simplex settles the last digits that finite differences leave.
    polished = minimize(
        whole, best.x, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-6, "fatol": 1e-12, "maxiter": 4000}
    )
    return polished if polished.fun <= best.fun else best


def _bgnbd_loss(theta: np.ndarray, x: np.ndarray, t: np.ndarray, length: np.ndarray) -> float:
    r, alpha, a, b = np.exp(theta)
    start = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    stays = -(r + x) * np.log(alpha + length)
    repeat = x > 0
    left = np.full(len(x), -np.inf)
    with np.errstate(invalid="ignore", divide="ignore"):
        chance = np.log(a) - np.log(np.maximum(b + x[repeat] - 1.0, 1e-300))
    left[repeat] = chance - (r + x[repeat]) * np.log(alpha + t[repeat])
    return -float(np.sum(start + np.logaddexp(stays, left)))


def _money_loss(theta: np.ndarray, x: np.ndarray, m: np.ndarray) -> float:
    p, q, v = np.exp(theta)
    total = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
    return -float(np.sum(total + (p * x - 1.0) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(v + x * m)))


def _checked(frequency: Any, recency: Any, length: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    named = {"frequency": frequency, "recency": recency, "T": length}
    arrays = {}
    for name, values in named.items():
        column = pd.to_numeric(pd.Series(np.ravel(np.asarray(values, dtype=object))), errors="coerce").to_numpy(
            np.float64
        )
        if not np.isfinite(column).all() or (column < 0).any():
            bad = int((~np.isfinite(column) | (column < 0)).sum())
            raise ValueError(
                f"{name} holds {bad} missing, infinite or negative values; it is 0 or more for each customer."
            )
        arrays[name] = column
    sizes = {name: len(column) for name, column in arrays.items()}
    if len(set(sizes.values())) > 1 or not min(sizes.values()):
        raise ValueError(f"As many values of each are needed, at least one: {sizes}.")
    x, t, whole = arrays["frequency"], arrays["recency"], arrays["T"]
    if (t > whole * (1 + 1e-9) + 1e-9).any():
        raise ValueError(
            f"recency is beyond T for {int((t > whole).sum())} customers: both count from the first purchase."
        )
    if (whole == 0).all():
        raise ValueError("T is 0 for every customer: nobody was observed for any time.")
    return x, np.where(x > 0, np.minimum(t, whole), 0.0), whole
