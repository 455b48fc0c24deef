"""Behaviour patterns: customers in a few stable groups, each with what sets it apart."""

from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.utils.validation import check_is_fitted

from ml.models.behaviour import BehaviourScale
from ml.models.inputs import read_table, seed_of
from ml.models.portraits import Portrait, TreeSummary, portraits, summarise
from ml.models.stability import Certificate, certify, choose_clusters
from ml.models.threads import threads_for

#: Rows from which on centres are found from batches.
_LARGE = 100_000
_CHUNK = 500_000


class Segmenter(ClusterMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """K-means on log-scaled behaviour and value, with a certificate of how stable the groups are.

    Numbers (dates included) are taken; skewed ones are put on a log scale, missing ones at the median. Categories only
    describe a segment, unless the table has no number at all.

    Args:
        n_clusters: number of segments; None chooses, among 2…`most_clusters` whose segments have a bootstrap Jaccard
            of at least 0.75, the largest that is as stable as the stablest (adjusted Rand index within 0.01).
        most_clusters: largest number tried.
        draws: bootstrap redraws of the certificate.
        certificate_rows: at most this many rows, drawn at random, take part in the redraws.
        random_state: everything that draws lots draws from it.

    Attributes:
        labels_: segment of each training row. After `refit` they keep the earlier model's numbers.
        cluster_centers_: centres on the scaled columns, in the order of `segments_`.
        segments_: the segments' numbers.
        sizes_: share of the training rows in each.
        certificate_: adjusted Rand index, Jaccard and verdict ("valid", "doubtful", "not shown") of each segment.
        choice_: one line a number of clusters tried; empty if the number was given.
        portraits_: per segment its strongest deviations, from which names are made.
        tree_: a tree of depth 3 that retells the segments, its rules and its fidelity.
    """

    labels_: np.ndarray
    cluster_centers_: np.ndarray
    segments_: np.ndarray
    sizes_: np.ndarray
    certificate_: Certificate
    choice_: list[dict[str, float]]
    portraits_: list[Portrait]
    tree_: TreeSummary

    def __init__(
        self,
        *,
        n_clusters: int | None = None,
        most_clusters: int = 8,
        draws: int = 20,
        certificate_rows: int = 10_000,
        random_state: Any = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.most_clusters = most_clusters
        self.draws = draws
        self.certificate_rows = certificate_rows
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the segments of a table.

        Raises:
            ValueError: fewer rows than segments, or no column that differs between rows.
        """
        frame = read_table(self, X, reset=True, least_rows=2)
        self._seed = seed_of(self.random_state)
        self.scale_ = BehaviourScale().fit(frame)
        points = self.scale_.transform(frame)
        with threads_for(*points.shape):
            self._fit_points(frame, points)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Segment of each row: that of the nearest centre. The model is frozen: the same row keeps its segment."""
        check_is_fitted(self)
        frame = read_table(self, X, reset=False)
        parts = [np.empty(0, dtype=np.int64)]
        for start in range(0, len(frame), _CHUNK):
            points = self.scale_.transform(frame.iloc[start : start + _CHUNK])
            parts.append(self.segments_[_nearest(points, self.cluster_centers_)])
        return np.concatenate(parts)

    def refit(self, X: Any) -> "Segmenter":
        """A new model of later rows whose segments keep the numbers of those they overlap most.

        Both models label the new rows; segments are matched so that as many rows as possible keep their number; a
        segment without a counterpart gets a number never used before.
        """
        before = self.predict(X)
        later = Segmenter(**self.get_params()).fit(X)
        overlap = pd.crosstab(pd.Series(later.labels_), pd.Series(before))
        old_places, new_places = linear_sum_assignment(-overlap.to_numpy().T)
        kept = {int(overlap.index[n]): int(overlap.columns[o]) for o, n in zip(old_places, new_places, strict=True)}
        fresh = iter(range(int(self.segments_.max()) + 1, int(self.segments_.max()) + 2 + len(later.segments_)))
        later._renumber(np.array([kept[int(s)] if int(s) in kept else next(fresh) for s in later.segments_]))
        return later

    def _renumber(self, numbers: np.ndarray) -> None:
        self.labels_ = numbers[np.searchsorted(self.segments_, self.labels_)]
        order = np.argsort(numbers, kind="stable")
        self.segments_ = numbers[order]
        self.cluster_centers_ = self.cluster_centers_[order]
        self.sizes_ = self.sizes_[order]
        self.certificate_ = self.certificate_.ordered(order)
        self.portraits_ = [self.portraits_[i].numbered(int(numbers[i])) for i in order]
        self.tree_ = self.tree_.renumbered(numbers)

    def _fit_points(self, frame: pd.DataFrame, points: np.ndarray) -> None:
        distinct = len(np.unique(points, axis=0)) if len(points) <= _LARGE else len(points)
        sample = points
        if len(points) > self.certificate_rows:
            rng = np.random.default_rng(self._seed)
            sample = points[np.sort(rng.choice(len(points), self.certificate_rows, replace=False))]
        if self.n_clusters is None:
            most = max(1, min(self.most_clusters, distinct, len(points) // 2))
            clusters, self.choice_ = choose_clusters(sample, most, self.draws, self._seed)
        else:
            clusters, self.choice_ = int(self.n_clusters), []
            if clusters > len(points):
                raise ValueError(f"n_samples={len(points)} should be >= n_clusters={clusters}.")
        self.kmeans_ = _kmeans(points, clusters, self._seed)
        # Largest value first, so that numbers mean something before anyone has named them.
        order = np.argsort(-self.kmeans_.cluster_centers_.sum(axis=1), kind="stable")
        self.cluster_centers_ = np.asarray(self.kmeans_.cluster_centers_, dtype=np.float64)[order]
        places = _nearest(points, self.cluster_centers_)
        present, self.labels_ = np.unique(places, return_inverse=True)
        self.cluster_centers_ = self.cluster_centers_[present]
        self.segments_ = np.arange(len(present))
        self.sizes_ = np.bincount(self.labels_) / len(points)
        self.certificate_ = certify(sample, self.cluster_centers_, self.draws, self._seed)
        self.portraits_ = portraits(frame, self.scale_, points, self.labels_)
        self.tree_ = summarise(self.scale_.raw(frame), self.scale_.names, self.labels_, self._seed)


def _kmeans(points: np.ndarray, clusters: int, seed: int) -> Any:
    if len(points) > _LARGE:
        return MiniBatchKMeans(clusters, n_init=5, batch_size=4096, random_state=seed).fit(points)
    return KMeans(clusters, n_init=10, random_state=seed).fit(points)


def _nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    distance = -2.0 * points @ centres.T + np.einsum("ij,ij->i", centres, centres)
    return np.asarray(distance.argmin(axis=1))
