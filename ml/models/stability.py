"""Would another sample show the same segments? Bootstrap adjusted Rand index and Jaccard overlap (Hennig 2007)."""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

VALID, DOUBTFUL = 0.75, 0.6
#: Adjusted Rand indices closer than this count as equally stable.
AS_STABLE = 0.01


@dataclass(frozen=True)
class Certificate:
    """How stable a segmentation is under redrawing its rows.

    Attributes:
        rand: mean adjusted Rand index between the model's segments and those found in a redraw (1: the same).
        rand_low: its 10 % quantile.
        jaccard: per segment, mean overlap with its best counterpart.
        draws: number of redraws.
    """

    rand: float
    rand_low: float
    jaccard: tuple[float, ...]
    draws: int

    @property
    def verdicts(self) -> tuple[str, ...]:
        """Per segment: "valid" (Jaccard ≥ 0.75), "doubtful", or "not shown" (< 0.6)."""
        return tuple("valid" if j >= VALID else "doubtful" if j >= DOUBTFUL else "not shown" for j in self.jaccard)

    @property
    def is_stable(self) -> bool:
        """Whether every segment is valid."""
        return min(self.jaccard) >= VALID

    def ordered(self, order: np.ndarray) -> "Certificate":
        """The same with the segments in another order."""
        return Certificate(self.rand, self.rand_low, tuple(self.jaccard[i] for i in order), self.draws)


def certify(points: np.ndarray, centres: np.ndarray, draws: int, seed: int) -> Certificate:
    """Certificate of the segments around `centres`: each redraw is segmented anew and labels all points."""
    clusters = len(centres)
    labels = _labels(points, centres)
    rng = np.random.default_rng(seed)
    rands, overlaps = [], []
    for _ in range(draws if clusters > 1 else 0):
        rows = rng.integers(0, len(points), len(points))
        again = KMeans(clusters, n_init=3, random_state=int(rng.integers(2**31))).fit(points[rows])
        other = _labels(points, again.cluster_centers_)
        rands.append(adjusted_rand_score(labels, other))
        overlaps.append(_jaccard(labels, other, clusters))
    if not rands:
        return Certificate(1.0, 1.0, (1.0,) * clusters, 0)
    jaccard = tuple(float(value) for value in np.mean(overlaps, axis=0))
    return Certificate(float(np.mean(rands)), float(np.quantile(rands, 0.1)), jaccard, draws)


def choose_clusters(points: np.ndarray, most: int, draws: int, seed: int) -> tuple[int, list[dict[str, float]]]:
    """Number of clusters and what each number tried reached.

    Among those whose every segment is valid, the largest that is as stable as the stablest; if there is none, the one
    with the highest adjusted Rand index.
    """
    tried = []
    for clusters in range(2, most + 1):
        centres = KMeans(clusters, n_init=5, random_state=seed).fit(points).cluster_centers_
        certificate = certify(points, centres, max(draws // 2, 5), seed)
        tried.append({"clusters": clusters, "rand": certificate.rand, "least_jaccard": min(certificate.jaccard)})
    if not tried:
        return 1, []
    valid = [line for line in tried if line["least_jaccard"] >= VALID]
    highest = max(line["rand"] for line in valid or tried)
    best = [line for line in valid or tried if line["rand"] >= highest - (AS_STABLE if valid else 0.0)][-1]
    return int(best["clusters"]), tried


def _labels(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    distance = -2.0 * points @ centres.T + np.einsum("ij,ij->i", centres, centres)
    return np.asarray(distance.argmin(axis=1))


def _jaccard(labels: np.ndarray, other: np.ndarray, clusters: int) -> np.ndarray:
    both = np.zeros((clusters, clusters))
    np.add.at(both, (labels, other), 1.0)
    either = both.sum(axis=1)[:, None] + both.sum(axis=0)[None, :] - both
    return np.asarray((both / np.maximum(either, 1.0)).max(axis=1))
