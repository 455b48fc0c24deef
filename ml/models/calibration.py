"""From raw scores to probabilities that come true."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

#: Rows of the rarer class from which on a free curve is fitted instead of a straight line in log-odds.
ENOUGH_FOR_CURVE = 1000
_CLIP = 1e-6


#: A further member must lower the log loss by this share of it, and by more than the error of what it gains.
WORTHWHILE = 0.01


def helps(scores: np.ndarray, target: np.ndarray) -> bool:
    """Whether the last column of the members' held-back log-odds lowers the blend's log loss clearly."""
    with_last, without = (_losses(part, target) for part in (scores, scores[:, :-1]))
    gain = without - with_last
    error = float(gain.std()) / np.sqrt(len(gain))
    return bool(gain.mean() > max(WORTHWHILE * without.mean(), error))


def _losses(scores: np.ndarray, target: np.ndarray) -> np.ndarray:
    raw = BlendCalibrator().fit(scores, target).raw(scores)
    return np.asarray(np.logaddexp(0.0, raw) - target * raw)


class BlendCalibrator:
    """Weights of the members' log-odds, found on scores they gave to rows they had not seen, then a monotone curve.

    The weights are never negative (a member that harms gets none) and are drawn a little towards equal shares, which
    matters only where rows are few. The curve joins the centres of an isotonic regression's steps, so that different
    scores do not tie; with few rows of a class there is none.
    """

    def fit(self, scores: np.ndarray, target: np.ndarray) -> "BlendCalibrator":
        """`scores` are log-odds of shape (rows, members); `target` is 0 or 1."""
        members = scores.shape[1]
        start = np.append(np.full(members, 1.0 / members), 0.0)

        def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
            z = scores @ theta[:-1] + theta[-1]
            error = expit(z) - target
            pull = theta[:-1] - 1.0 / members
            value = float(np.sum(np.logaddexp(0.0, z) - target * z) + pull @ pull)
            return value, np.append(scores.T @ error + 2.0 * pull, error.sum())

        bounds = [(0.0, None)] * members + [(None, None)]
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
        self.weights, self.intercept = found[:-1], float(found[-1])
        self.curve_x = self.curve_y = np.empty(0)
        if min(target.sum(), len(target) - target.sum()) >= ENOUGH_FOR_CURVE:
            self._fit_curve(self.raw(scores), target)
        return self

    def plain(self, members: int) -> "BlendCalibrator":
        """Equal weights and no curve: what is left when no row can be held back."""
        self.weights, self.intercept = np.full(members, 1.0 / members), 0.0
        self.curve_x = self.curve_y = np.empty(0)
        return self

    def raw(self, scores: np.ndarray) -> np.ndarray:
        """Blended log-odds before the curve."""
        return np.asarray(scores @ self.weights + self.intercept)

    def probability(self, scores: np.ndarray) -> np.ndarray:
        """Probability of the second class."""
        z = self.raw(scores)
        if not len(self.curve_x):
            return np.asarray(expit(z))
        inside = np.interp(z, self.curve_x, self.curve_y)
        outside = np.where(z < self.curve_x[0], z - self.curve_x[0], np.maximum(z - self.curve_x[-1], 0.0))
        return np.asarray(expit(inside + outside))

    def _fit_curve(self, z: np.ndarray, target: np.ndarray) -> None:
        steps = IsotonicRegression(y_min=0.0, y_max=1.0).fit_transform(z, target)
        levels, place = np.unique(steps, return_inverse=True)
        rows = np.bincount(place)
        centres = np.bincount(place, weights=z) / rows
        # Half a row of the overall rate in each step: a step of only misses is rare, not impossible.
        rate = target.mean()
        shrunk = (levels * rows + rate) / (rows + 1.0)
        order = np.argsort(centres, kind="stable")
        self.curve_x = centres[order]
        self.curve_y = np.maximum.accumulate(logit(np.clip(shrunk[order], _CLIP, 1 - _CLIP)))
