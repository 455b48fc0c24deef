"""How likely a customer is to do a thing: churn, accept an offer, answer a mailing."""

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.utils.validation import check_is_fitted

from ml.models.boosting import TreePaths
from ml.models.calibration import BlendCalibrator, helps
from ml.models.inputs import read_classes, read_table, seed_of
from ml.models.table import LinearDesign, TableReader, TreeDesign
from ml.models.threads import one_thread, threads_for

#: Rows scored at once: bounds the memory of a whole province's table.
_CHUNK = 50_000
#: Rows of one fold from which on it alone tells whether larger trees are worth trying on the others.
_ENOUGH_TO_TELL = 1000


class SplineLogit:
    """Penalised logistic regression on splines of the numbers and marks of the categories."""

    def __init__(self, reader: TableReader, penalty: float, random_state: int) -> None:
        self.design = LinearDesign(reader, random_state)
        self.penalty = penalty

    def fit(self, matrix: np.ndarray, target: np.ndarray) -> Self:
        """Fit on the reader's matrix and a target of 0 and 1."""
        columns = self.design.fit_transform(matrix, target)
        solver = "newton-cholesky" if columns.shape[1] <= 1000 else "lbfgs"
        self.model = LogisticRegression(C=1.0 / self.penalty, solver=solver, max_iter=300)
        self.model.fit(columns, target)
        return self

    def score(self, matrix: np.ndarray) -> np.ndarray:
        """Log-odds."""
        return self.design.dot(matrix, self.model.coef_[0]) + float(self.model.intercept_[0])

    def contributions(self, matrix: np.ndarray) -> tuple[np.ndarray, float]:
        """Log-odds moved by each column of the matrix against the training mean, and the mean row's log-odds."""
        parts = self.design.transform(matrix) * self.model.coef_[0]
        out = np.zeros(matrix.shape)
        np.add.at(out.T, self.design.source, parts.T)
        return out, float(self.model.intercept_[0])


class SmallBooster:
    """A few shallow trees: what splines cannot bend, above all how two columns act together."""

    settings: ClassVar[dict[str, float]] = {"max_leaf_nodes": 8, "learning_rate": 0.05, "l2_regularization": 5.0}

    def __init__(self, reader: TableReader, random_state: int) -> None:
        self.design = TreeDesign(reader, random_state)
        self.random_state = random_state

    def fit(self, matrix: np.ndarray, target: np.ndarray) -> Self:
        """Fit on the reader's matrix and a target of 0 and 1."""
        self.model = HistGradientBoostingClassifier(
            **self.settings,
            max_iter=200,
            max_features=0.5,
            early_stopping=False,
            random_state=self.random_state,
        )
        self.model.fit(self.design.fit_transform(matrix, target), target)
        return self

    def score(self, matrix: np.ndarray) -> np.ndarray:
        """Log-odds."""
        return np.asarray(self.model.decision_function(self.design.transform(matrix)))

    def contributions(self, matrix: np.ndarray) -> tuple[np.ndarray, float]:
        """Log-odds moved by each column of the matrix, and the trees' mean log-odds."""
        paths = TreePaths(self.model)
        return paths.contributions(self.design.transform(matrix)), paths.base


class DeepBooster(SmallBooster):
    """Larger trees: where many columns act together."""

    settings: ClassVar[dict[str, float]] = {"max_leaf_nodes": 31, "learning_rate": 0.08, "l2_regularization": 1.0}


class PropensityClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Calibrated probability of one of two outcomes, from any table, with the reasons of each score.

    Columns are typed from their values: numbers (numeric text included), dates, categories; empty, constant and
    identifier columns are left out (`columns_` says which and why). A spline logistic regression and a small gradient
    boosting are blended with weights and a curve found on held-back rows (shuffled folds), then both are refitted on
    all rows. A boosting of larger trees joins them only where it tells held-back rows apart clearly better.
    Classes are never reweighted: the probabilities are those of the table's own base rate.

    Args:
        penalty: ridge penalty of the logistic regression on standardised columns.
        folds: folds of the held-back scores.
        held_back_rows: at most this many rows, drawn at random, take part in the folds.
        random_state: everything that draws lots draws from it; the default makes a fit repeatable.

    Attributes:
        classes_: both labels, sorted; probabilities are in this order, the second is the outcome of interest.
        columns_: what each column was taken for.
        blend_: weights of (logistic regression, boosting) and, if it joined them, of the larger trees; empty if no
            column was left to learn from.
        base_rate_: share of the second class.
    """

    def __init__(
        self, *, penalty: float = 10.0, folds: int = 5, held_back_rows: int = 100_000, random_state: Any = 0
    ) -> None:
        self.penalty = penalty
        self.folds = folds
        self.held_back_rows = held_back_rows
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Fit on a table and a two-valued target (numbers, bools or texts).

        Raises:
            ValueError: one class only, more than two classes, missing labels, lengths that differ.
        """
        frame = read_table(self, X, reset=True, least_rows=2)
        self.classes_, target = read_classes(self, y, len(frame))
        if len(self.classes_) == 1:
            raise ValueError(f"y holds one class only ({self.classes_[0]!r}); two are needed to tell them apart.")
        if len(self.classes_) > 2:
            raise ValueError(
                f"Only binary classification is supported. The type of the target is multiclass "
                f"({len(self.classes_)} classes)."
            )
        self._seed = seed_of(self.random_state)
        self.base_rate_ = float(target.mean())
        self.reader_ = TableReader().fit(frame)
        self.columns_ = self.reader_.columns_
        matrix = self.reader_.transform(frame)
        with threads_for(*matrix.shape):
            self._fit_members(matrix, target.astype(np.float64))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of shape (rows, 2), in the order of `classes_`."""
        check_is_fitted(self)
        frame = read_table(self, X, reset=False)
        chunks = range(0, len(frame), _CHUNK)
        with one_thread():
            parts = [self._second(self.reader_.transform(frame.iloc[start : start + _CHUNK])) for start in chunks]
        second = np.concatenate([np.empty(0), *parts])
        return np.column_stack([1.0 - second, second])

    def predict(self, X: Any) -> np.ndarray:
        """The likelier label of each row."""
        check_is_fitted(self)
        return np.asarray(self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)])

    def contributions(self, X: Any) -> tuple[pd.DataFrame, float]:
        """Log-odds that each column moved (rows × columns of the table), and the log-odds they start from.

        Base + a row's sum is its blended score before the calibration curve, exactly. Columns left out have 0.
        """
        check_is_fitted(self)
        frame = read_table(self, X, reset=False)
        out = np.zeros(frame.shape)
        base = float(self.blender_.intercept)
        matrix = self.reader_.transform(frame)
        for member, weight in zip(self.members_, self.blender_.weights, strict=True):
            parts, start = member.contributions(matrix)
            out[:, self.reader_.positions_] += weight * parts
            base += weight * start
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame(out, columns=frame.columns, index=index), base

    def explain(self, X: Any, top: int = 3) -> pd.DataFrame:
        """The strongest reasons of each row's score, for and against.

        Returns:
            One line a (row, rank): `row` (the table's index), `rank` from 1, `column`, `value` as it stands in
            the table, `contribution` in log-odds (positive: towards the second class), `direction` "raises" or
            "lowers".
        """
        parts, _ = self.contributions(X)
        values = as_values(X)
        moved = parts.to_numpy()
        used = min(top, moved.shape[1])
        order = np.argsort(-np.abs(moved), axis=1, kind="stable")[:, :used]
        rows = np.repeat(np.arange(len(moved)), used)
        places = order.ravel()
        contribution = moved[rows, places]
        kept = contribution != 0.0
        reasons = pd.DataFrame(
            {
                "row": parts.index.to_numpy()[rows],
                "rank": np.tile(np.arange(1, used + 1), len(moved)),
                "column": np.array([str(name) for name in parts.columns], dtype=object)[places],
                "value": [values[row, place] for row, place in zip(rows, places, strict=True)],
                "contribution": contribution,
                "direction": np.where(contribution > 0, "raises", "lowers"),
            }
        )
        return pd.DataFrame(reasons[kept]).reset_index(drop=True)

    def reasoned(self, X: Any, top: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Probabilities of the second class with their strongest reasons, in one pass over a whole province.

        Returns:
            probability of shape (rows,); places (rows, top) of the table's columns that moved it most, -1 where none
            did; their contributions in log-odds (rows, top).
        """
        check_is_fitted(self)
        frame = read_table(self, X, reset=False)
        chunks = range(0, len(frame), _CHUNK)
        with one_thread():
            parts = [self._reasoned(self.reader_.transform(frame.iloc[at : at + _CHUNK]), top) for at in chunks]
        probability = np.concatenate([np.empty(0), *(part[0] for part in parts)])
        places = np.concatenate([np.empty((0, top), np.int64), *(part[1] for part in parts)])
        moved = np.concatenate([np.empty((0, top)), *(part[2] for part in parts)])
        return probability, places, moved

    def _reasoned(self, matrix: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = len(matrix)
        moved: np.ndarray = np.zeros(matrix.shape)
        scores = np.zeros((rows, len(self.members_)))
        for number, (member, weight) in enumerate(zip(self.members_, self.blender_.weights, strict=True)):
            if weight == 0.0:
                continue
            parts, start = member.contributions(matrix)
            scores[:, number] = parts.sum(axis=1) + start
            moved += weight * parts
        used = min(top, moved.shape[1])
        strongest = np.argsort(-np.abs(moved), axis=1, kind="stable")[:, :used]
        places, amounts = np.full((rows, top), -1, np.int64), np.zeros((rows, top))
        amounts[:, :used] = np.take_along_axis(moved, strongest, axis=1)
        places[:, :used] = np.where(amounts[:, :used] != 0.0, np.asarray(self.reader_.positions_)[strongest], -1)
        return self.blender_.probability(scores), places, amounts

    def _members(self) -> list[SplineLogit | SmallBooster]:
        seed = self._seed
        return [SplineLogit(self.reader_, self.penalty, seed), SmallBooster(self.reader_, seed)]

    def _fit_members(self, matrix: np.ndarray, target: np.ndarray) -> None:
        if not matrix.shape[1]:
            self.members_: list[SplineLogit | SmallBooster] = []
            self.blend_ = np.empty(0)
            self.blender_ = BlendCalibrator().plain(1)
            self.blender_.weights = np.empty(0)
            self.blender_.intercept = float(np.log(self.base_rate_ / (1.0 - self.base_rate_)))
            return
        self.blender_ = self._blend(matrix, target)
        self.blend_ = self.blender_.weights
        members = [*self._members(), self._deep()][: len(self.blend_)]
        self.members_ = [member.fit(matrix, target) for member in members]

    def _blend(self, matrix: np.ndarray, target: np.ndarray) -> BlendCalibrator:
        seed = self._seed
        if len(target) > self.held_back_rows:
            kept, _ = train_test_split(
                np.arange(len(target)), train_size=self.held_back_rows, stratify=target, random_state=seed
            )
            matrix, target = matrix[kept], target[kept]
        folds = int(min(self.folds, target.sum(), len(target) - target.sum()))
        if folds < 2:
            return BlendCalibrator().plain(2)
        splits = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(matrix, target))
        scores = np.empty((len(target), 2))
        for train, held in splits:
            for place, member in enumerate(self._members()):
                scores[held, place] = member.fit(matrix[train], target[train]).score(matrix[held])
        return BlendCalibrator().fit(self._deepened(scores, matrix, target, splits), target)

    def _deep(self) -> DeepBooster:
        return DeepBooster(self.reader_, self._seed)

    def _deepened(
        self, scores: np.ndarray, matrix: np.ndarray, target: np.ndarray, splits: list[tuple[np.ndarray, np.ndarray]]
    ) -> np.ndarray:
        """The held-back scores, with those of larger trees if they help; a large fold alone tells whether to go on."""
        deep = np.column_stack([scores, np.empty(len(target))])
        for number, (train, held) in enumerate(splits):
            deep[held, 2] = self._deep().fit(matrix[train], target[train]).score(matrix[held])
            if number == 0 and len(held) >= _ENOUGH_TO_TELL and not helps(deep[held], target[held]):
                return scores
        return deep if helps(deep, target) else scores

    def _second(self, matrix: np.ndarray) -> np.ndarray:
        scores = np.column_stack([np.empty((len(matrix), 0)), *(member.score(matrix) for member in self.members_)])
        return self.blender_.probability(scores)


def as_values(X: Any) -> np.ndarray:
    """The cells of a table as they stand."""
    return X.to_numpy(dtype=object) if isinstance(X, pd.DataFrame) else np.asarray(X, dtype=object)
