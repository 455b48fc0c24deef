"""Linear margins of text classes: two support vector machines and naive Bayes, mixed by what held-back texts show."""

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
#: Pieces of all texts × classes beyond which the tilted machine, one fit a class, would take minutes.
_MOST_WORK = 1e8
#: What a piece that tells nothing of a class still counts in the tilted machine; and that machine's C.
_LEAST_TILT, _TILTED_C = 0.3, 0.5

_Member = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Mixture:
    """Weights that turn the members' margins into log-probabilities (up to a constant a text).

    Attributes:
        machine, bayes, tilted: weights of the margins of the support vector machine, of naive Bayes, and of the machine
            whose pieces count by how unevenly they stand in a class and outside it.
    """

    machine: float
    bayes: float
    tilted: float = 0.0

    def of(self, machine: Any, bayes: Any, tilted: Any) -> Any:
        """The members' slopes, offsets or margins, mixed."""
        return self.machine * machine + self.bayes * bayes + self.tilted * tilted


class Margins:
    """Slopes (pieces × classes) and offsets of the members."""

    def __init__(
        self,
        rows: Any,
        targets: np.ndarray,
        weights: np.ndarray,
        classes: int,
        c: float,
        seed: int,
        *,
        tilts: bool = True,
    ) -> None:
        nothing = np.zeros((rows.shape[1], classes)), np.zeros(classes)
        self.members: tuple[_Member, ...] = (
            _machine(rows, targets, weights, classes, c, seed),
            _bayes(rows, targets, weights, classes),
            _tilted(rows, targets, weights, classes, seed) if tilts else nothing,
        )
        self.absent = np.setdiff1d(np.arange(classes), targets)

    def mixed(self, mixture: Mixture) -> tuple[np.ndarray, np.ndarray]:
        """One row of slopes a piece, contiguous (so that a short text touches little memory), and the offsets."""
        slopes = mixture.of(*(member[0] for member in self.members))
        offsets = mixture.of(*(member[1] for member in self.members))
        offsets[self.absent] = _NEVER
        return np.ascontiguousarray(slopes), offsets

    def of(self, rows: Any) -> np.ndarray:
        """Margins of shape (members, texts, classes)."""
        margins = np.stack([rows @ slopes + offsets for slopes, offsets in self.members])
        margins[:, :, self.absent] = _NEVER
        return margins


def affords_tilt(rows: Any, classes: int) -> bool:
    """Whether the tilted machine can be fitted in acceptable time."""
    return bool(rows.nnz * classes <= _MOST_WORK)


def _machine(rows: Any, targets: np.ndarray, weights: np.ndarray, classes: int, c: float, seed: int) -> _Member:
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


def _tilted(rows: Any, targets: np.ndarray, weights: np.ndarray, classes: int, seed: int) -> _Member:
    """One machine a class; a piece counts by its log-ratio of rates inside and outside it (Wang, Manning 2012)."""
    slopes, offsets = np.zeros((rows.shape[1], classes)), np.full(classes, _NEVER)
    present = np.unique(targets)
    if len(present) == 1:
        offsets[present] = 1.0
        return slopes, offsets
    held = sparse.csr_matrix((np.ones(rows.nnz), rows.indices, rows.indptr), shape=rows.shape)
    everywhere = weights @ held + 2.0
    for place in present[1:] if len(present) == 2 else present:
        inside = targets == place
        within = (weights * inside) @ held + 1.0
        outside = everywhere - within
        tilt = np.abs(np.log(within / within.sum()) - np.log(outside / outside.sum())) + _LEAST_TILT
        scaled = sparse.csr_matrix((rows.data * tilt[rows.indices], rows.indices, rows.indptr), shape=rows.shape)
        model = LinearSVC(C=_TILTED_C, random_state=seed).fit(scaled, inside, sample_weight=weights)
        slopes[:, place], offsets[place] = model.coef_[0] * tilt, float(model.intercept_[0])
    if len(present) == 2:
        slopes[:, present[0]], offsets[present[0]] = -slopes[:, present[1]], -offsets[present[1]]
    return slopes, offsets


def _bayes(rows: Any, targets: np.ndarray, weights: np.ndarray, classes: int) -> _Member:
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
    margins = np.empty((3, len(first), classes))
    tilts = affords_tilt(rows, classes)
    ones = np.ones(len(groups))
    for _, held in StratifiedKFold(folds, shuffle=True, random_state=seed).split(first, strata):
        kept = ~np.isin(groups, groups[first[held]])
        model = Margins(rows[kept], targets[kept], ones[kept], classes, c, seed, tilts=tilts)
        margins[:, held] = model.of(rows[first[held]])
    return margins, targets[first]


def mix(margins: np.ndarray, targets: np.ndarray) -> Mixture:
    """The weights under which the true classes are likeliest; a further member has none unless more texts are then
    right.
    """
    best, right = np.zeros(3), -1
    for members in ([0], [0, 1], [0, 1, 2]):
        if 2 in members and not margins[2].any():
            continue
        weights = _likeliest(margins[members], targets)
        now = _right(margins[members], weights, targets)
        if now > right:
            best, right = np.zeros(3), now
            best[members] = weights
    return Mixture(*map(float, best))


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

    start, bounds = [2.0, 0.1, 0.5], [(0.01, 50.0), (0.0, 5.0), (0.0, 50.0)]
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
