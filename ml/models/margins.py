"""Linear margins of text classes: a support vector machine and naive Bayes, mixed by what held-back texts show."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

#: Margin of a class without a text: it can never win.
_NEVER = -30.0
_SMOOTHING = 0.1


@dataclass(frozen=True)
class Mixture:
    """Weights that turn the two members' margins into log-probabilities (up to a constant a text).

    Attributes:
        machine, bayes: weights of the support vector machine's and of naive Bayes' margins.
    """

    machine: float
    bayes: float


class Margins:
    """Slopes (pieces × classes) and offsets of both members."""

    def __init__(self, rows: Any, targets: np.ndarray, weights: np.ndarray, classes: int, c: float, seed: int) -> None:
        self.machine = _machine(rows, targets, weights, classes, c, seed)
        self.bayes = _bayes(rows, targets, weights, classes)
        self.absent = np.setdiff1d(np.arange(classes), targets)

    def mixed(self, mixture: Mixture) -> tuple[np.ndarray, np.ndarray]:
        """One row of slopes a piece, contiguous (so that a short text touches little memory), and the offsets."""
        slopes = mixture.machine * self.machine[0] + mixture.bayes * self.bayes[0]
        offsets = mixture.machine * self.machine[1] + mixture.bayes * self.bayes[1]
        offsets[self.absent] = _NEVER
        return np.ascontiguousarray(slopes), offsets

    def of(self, rows: Any) -> np.ndarray:
        """Margins of shape (2, texts, classes)."""
        both = np.stack([rows @ self.machine[0] + self.machine[1], rows @ self.bayes[0] + self.bayes[1]])
        both[:, :, self.absent] = _NEVER
        return both


def _machine(
    rows: Any, targets: np.ndarray, weights: np.ndarray, classes: int, c: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    slopes, offsets = np.zeros((rows.shape[1], classes)), np.full(classes, _NEVER)
    present = np.unique(targets)
    if len(present) == 1:
        offsets[present] = 1.0
        return slopes, offsets
    model = LinearSVC(C=c, random_state=seed).fit(rows, targets, sample_weight=weights)
    if len(present) == 2:
        slopes[:, present] = np.column_stack([-model.coef_[0], model.coef_[0]])
        offsets[present] = [-model.intercept_[0], model.intercept_[0]]
    else:
        slopes[:, present], offsets[present] = model.coef_.T, model.intercept_
    return slopes, offsets


def _bayes(rows: Any, targets: np.ndarray, weights: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    shape = (classes, len(targets))
    belongs = sparse.csr_matrix((weights, (targets, np.arange(len(targets)))), shape=shape)
    counts = (belongs @ rows).toarray() + _SMOOTHING
    texts = np.bincount(targets, weights=weights, minlength=classes) + _SMOOTHING
    slopes = np.log(counts) - np.log(counts.sum(axis=1, keepdims=True))
    return slopes.T, np.log(texts / texts.sum())


def held_back(
    rows: Any, targets: np.ndarray, groups: np.ndarray, classes: int, c: float, folds: int, seed: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Margins of one text a group from folds that do not hold its group, and its class; None if there are too few."""
    _, first = np.unique(groups, return_index=True)
    counts = np.bincount(targets[first])
    folds = int(min(folds, counts.max()))
    if folds < 2:
        return None
    # Classes rarer than the folds are spread together as far as they go.
    strata = np.where(counts[targets[first]] < folds, -1, targets[first])
    if (strata == -1).sum() < folds:
        strata[strata == -1] = counts.argmax()
    margins = np.empty((2, len(first), classes))
    ones = np.ones(len(groups))
    for _, held in StratifiedKFold(folds, shuffle=True, random_state=seed).split(first, strata):
        kept = ~np.isin(groups, groups[first[held]])
        model = Margins(rows[kept], targets[kept], ones[kept], classes, c, seed)
        margins[:, held] = model.of(rows[first[held]])
    return margins, targets[first]


def mix(margins: np.ndarray, targets: np.ndarray) -> Mixture:
    """The weights under which the true classes are likeliest; naive Bayes has none unless more texts are then right."""
    alone, both = _likeliest(margins[:1], targets), _likeliest(margins, targets)
    gained = _right(margins, both, targets) - _right(margins[:1], alone, targets)
    return Mixture(float(both[0]), float(both[1])) if gained > 0 else Mixture(float(alone[0]), 0.0)


def _right(margins: np.ndarray, weights: np.ndarray, targets: np.ndarray) -> int:
    return int((np.tensordot(weights, margins, 1).argmax(axis=1) == targets).sum())


def _likeliest(margins: np.ndarray, targets: np.ndarray) -> np.ndarray:
    places = np.arange(len(targets))

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        scaled = np.tensordot(theta, margins, 1)
        error = softmax(scaled, axis=1)
        error[places, targets] -= 1.0
        value = float(np.mean(logsumexp(scaled, axis=1) - scaled[places, targets]))
        return value, np.array([np.mean(np.sum(error * member, axis=1)) for member in margins])

    start, bounds = [2.0, 0.1], [(0.01, 50.0), (0.0, 5.0)]
    size = len(margins)
    return np.asarray(minimize(loss, np.array(start[:size]), jac=True, method="L-BFGS-B", bounds=bounds[:size]).x)


def confident_from(confidence: np.ndarray, right: np.ndarray, precision: float) -> tuple[float, float]:
    """Smallest confidence at and above which `precision` of the suggestions are right, and the share of texts there."""
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Equal confidences stand or fall together.
    ends = np.append(np.flatnonzero(np.diff(confidence[order]) != 0), len(order) - 1)
    good = ends[share[ends] >= precision]
    if not len(good):
        return math.inf, 0.0
    return float(confidence[order][good[-1]]), float((good[-1] + 1) / len(order))
