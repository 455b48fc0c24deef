"""Which column moved a boosted score, and by how much: the steps along each tree's path."""

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)  # type: ignore[misc, untyped-decorator, unused-ignore]  # numba has no types
def _walk(
    matrix: np.ndarray,
    starts: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
    missing_left: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    leaf: np.ndarray,
    value: np.ndarray,
    out: np.ndarray,
) -> None:
    for row in range(matrix.shape[0]):
        for start in starts:
            node = start
            while not leaf[node]:
                column = feature[node]
                x = matrix[row, column]
                goes_left = missing_left[node] if np.isnan(x) else x <= threshold[node]
                child = start + (left[node] if goes_left else right[node])
                out[row, column] += value[child] - value[node]
                node = child


class TreePaths:
    """The trees of a fitted binary HistGradientBoostingClassifier, flattened for walking.

    Each tree's prediction is its root's mean value plus the change at every step; a step belongs to the
    column it asks about (Saabas 2014). `base` plus the sum of a row's contributions is the booster's raw score.
    """

    def __init__(self, booster: Any) -> None:
        trees = [stage[0].nodes for stage in booster._predictors]
        nodes: Any = np.concatenate(trees) if trees else np.empty(0)
        self.starts = np.cumsum([0, *(len(tree) for tree in trees[:-1])])[: len(trees)].astype(np.int64)
        self.base = float(np.ravel(booster._baseline_prediction)[0])
        if not trees:
            return
        self.feature = nodes["feature_idx"].astype(np.int64)
        self.threshold = nodes["num_threshold"].astype(np.float64)
        self.missing_left = nodes["missing_go_to_left"].astype(np.bool_)
        self.left = nodes["left"].astype(np.int64)
        self.right = nodes["right"].astype(np.int64)
        self.leaf = nodes["is_leaf"].astype(np.bool_)
        self.value = np.concatenate([_mean_values(tree) for tree in trees])
        self.base += float(self.value[self.starts].sum())

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """Log-odds moved by each column: shape of `matrix`."""
        out = np.zeros(matrix.shape)
        if len(self.starts):
            rows = np.ascontiguousarray(matrix)
            _walk(
                rows,
                self.starts,
                self.feature,
                self.threshold,
                self.missing_left,
                self.left,
                self.right,
                self.leaf,
                self.value,
                out,
            )
        return out


def _mean_values(nodes: np.ndarray) -> np.ndarray:
    """Value of every node: a leaf's own, an inner node's mean of its leaves weighted by their training rows."""
    value = nodes["value"].astype(np.float64)
    count = nodes["count"].astype(np.float64)
    for place in range(len(nodes) - 1, -1, -1):  # Children are stored after their parent.
        if not nodes["is_leaf"][place]:
            pair = [nodes["left"][place], nodes["right"][place]]
            value[place] = np.average(value[pair], weights=count[pair])
    return value
