"""Learners of a treatment's effect on each row of a reader's matrix, from a randomised trial."""

from typing import Any, Protocol, Self

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV
from sklearn.model_selection import StratifiedKFold

from ml.models.table import LinearDesign, TableReader, TreeDesign

#: Inner borders of a number's spline: effects bend less than outcomes, and their noise is larger.
_PIECES = 3


class EffectLearner(Protocol):
    """Learns from outcome `y` and `treated` (bool); predicts the effect of treating each row."""

    def fit(self, matrix: np.ndarray, y: np.ndarray, treated: np.ndarray) -> Self:
        """Fit on the reader's matrix."""

    def effect(self, matrix: np.ndarray) -> np.ndarray:
        """Effect per row, in the unit of `y`."""

    def outcomes(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Expected outcome of each row untreated and treated."""


class _Constant:
    """The model of an arm that holds one outcome only."""

    def __init__(self, value: float) -> None:
        self.value = value


def _expected(model: Any, columns: np.ndarray) -> np.ndarray:
    if isinstance(model, _Constant):
        return np.full(len(columns), model.value)
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(columns)[:, 1])
    return np.asarray(model.predict(columns))


class TwoLinear:
    """One spline model an arm (logistic, or ridge for amounts); the effect is their difference (a T-learner)."""

    def __init__(self, reader: TableReader, *, binary: bool, penalty: float, random_state: int) -> None:
        self.designs = [LinearDesign(reader, random_state, _PIECES) for _ in range(2)]
        self.binary = binary
        self.penalty = penalty

    def fit(self, matrix: np.ndarray, y: np.ndarray, treated: np.ndarray) -> Self:
        """Fit both arms."""
        self.models = [
            self._fit_arm(design, matrix[rows], y[rows])
            for design, rows in zip(self.designs, (~treated, treated), strict=True)
        ]
        return self

    def _fit_arm(self, design: LinearDesign, matrix: np.ndarray, y: np.ndarray) -> Any:
        columns = design.fit_transform(matrix, y)
        if (y == y[0]).all():
            return _Constant(float(y[0]))
        if not self.binary:
            return Ridge(alpha=10.0 * self.penalty).fit(columns, y)
        solver = "newton-cholesky" if columns.shape[1] <= 1000 else "lbfgs"
        return LogisticRegression(C=1.0 / self.penalty, solver=solver, max_iter=300).fit(columns, y)

    def outcomes(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Expected outcome untreated and treated."""
        untreated, treated = (
            _expected(model, design.transform(matrix)) for design, model in zip(self.designs, self.models, strict=True)
        )
        return untreated, treated

    def effect(self, matrix: np.ndarray) -> np.ndarray:
        """Treated − untreated."""
        untreated, treated = self.outcomes(matrix)
        return np.asarray(treated - untreated)


class TwoBoosters:
    """One small gradient boosting an arm: finds effects of columns acting together, at the price of more noise."""

    def __init__(self, reader: TableReader, *, binary: bool, random_state: int) -> None:
        self.designs = [TreeDesign(reader, random_state) for _ in range(2)]
        self.binary = binary
        self.random_state = random_state

    def fit(self, matrix: np.ndarray, y: np.ndarray, treated: np.ndarray) -> Self:
        """Fit both arms."""
        self.models: list[Any] = []
        for design, rows in zip(self.designs, (~treated, treated), strict=True):
            columns = design.fit_transform(matrix[rows], y[rows])
            if (y[rows] == y[rows][0]).all():
                self.models.append(_Constant(float(y[rows][0])))
                continue
            booster = HistGradientBoostingClassifier if self.binary else HistGradientBoostingRegressor
            model = booster(
                max_leaf_nodes=6,
                learning_rate=0.05,
                max_iter=80,
                min_samples_leaf=50,
                l2_regularization=10.0,
                early_stopping=False,
                random_state=self.random_state,
            )
            self.models.append(model.fit(columns, y[rows]))
        return self

    def outcomes(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Expected outcome untreated and treated."""
        untreated, treated = (
            _expected(model, design.transform(matrix)) for design, model in zip(self.designs, self.models, strict=True)
        )
        return untreated, treated

    def effect(self, matrix: np.ndarray) -> np.ndarray:
        """Treated − untreated."""
        untreated, treated = self.outcomes(matrix)
        return np.asarray(treated - untreated)


class DoublyRobust:
    """Ridge regression of each row's doubly robust effect on splines (Kennedy 2023), for a randomised treatment.

    A row's effect is what the two-arm model expects plus its own surprise over the share of its arm; the expectations
    come from folds that do not hold the row. The penalty is found by generalised cross-validation.
    """

    def __init__(self, reader: TableReader, *, binary: bool, penalty: float, random_state: int) -> None:
        self.reader = reader
        self.binary = binary
        self.penalty = penalty
        self.random_state = random_state
        self.design = LinearDesign(reader, random_state, _PIECES)

    def _arms(self) -> TwoLinear:
        return TwoLinear(self.reader, binary=self.binary, penalty=self.penalty, random_state=self.random_state)

    def fit(self, matrix: np.ndarray, y: np.ndarray, treated: np.ndarray) -> Self:
        """Fit the arms, then the regression on the rows' effects."""
        self.arms = self._arms().fit(matrix, y, treated)
        untreated, given = self._expectations(matrix, y, treated)
        share = treated.mean()
        surprise = np.where(treated, (y - given) / share, -(y - untreated) / (1.0 - share))
        effect = given - untreated + surprise
        columns = self.design.fit_transform(matrix, effect)
        self.model = RidgeCV(alphas=np.logspace(0, 6, 25)).fit(columns, effect)
        return self

    def _expectations(self, matrix: np.ndarray, y: np.ndarray, treated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        folds = int(min(5, treated.sum(), (~treated).sum()))
        if folds < 2:
            return self.arms.outcomes(matrix)
        untreated, given = np.empty(len(y)), np.empty(len(y))
        splitter = StratifiedKFold(folds, shuffle=True, random_state=self.random_state)
        for train, held in splitter.split(matrix, treated):
            arms = self._arms().fit(matrix[train], y[train], treated[train])
            untreated[held], given[held] = arms.outcomes(matrix[held])
        return untreated, given

    def outcomes(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Expected outcome untreated (from the arm's model) and that plus the effect."""
        untreated, _ = self.arms.outcomes(matrix)
        return untreated, untreated + self.effect(matrix)

    def effect(self, matrix: np.ndarray) -> np.ndarray:
        """The regression's effect."""
        return np.asarray(self.model.predict(self.design.transform(matrix)))
