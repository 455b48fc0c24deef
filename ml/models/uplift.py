"""Whom a call moves: the effect of a treatment on each customer, learnt from a trial with a holdout."""

import re
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.utils.validation import check_is_fitted

from ml.evaluation.uplift import Qini, qini, qini_gain
from ml.models.effects import DoublyRobust, EffectLearner, TwoBoosters, TwoLinear
from ml.models.inputs import is_two_valued, read_classes, read_table, read_target, seed_of
from ml.models.table import TableReader
from ml.models.threads import one_thread, threads_for

Method = Literal["auto", "t_learner", "doubly_robust", "trees"]
#: In the order of preference: a later one is taken only if it wins beyond doubt.
METHODS: tuple[Method, ...] = ("t_learner", "doubly_robust", "trees")

_CONTROL = re.compile(
    r"control|holdout|hold-out|placebo|untreated|baseline|^no\b|^none$|^not\b|^n$|^f(alse)?$|对照|未", re.I
)
_CHUNK = 50_000


class UpliftClassifier(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Effect of a treatment on each row of any table, from rows that were treated or held out at random.

    Args:
        method: "t_learner" (one spline logistic regression an arm), "doubly_robust" (ridge), "trees" (one boosting an
            arm), or "auto": the first of these, unless a later one's Qini area on held-back rows is larger: its own
            bootstrap interval and that of the gain both lie above 0.
        control: the value of `treatment` that means "not treated"; None finds it: False, the smaller number, or the
            text that says so ("control", "holdout", "No E-Mail", 对照…).
        penalty: ridge penalty of the arms' regressions.
        folds: folds of the held-back effects.
        held_back_rows: at most this many rows, drawn at random, take part in the folds.
        random_state: everything that draws lots draws from it.

    Attributes:
        method_: the method taken.
        qini_: Qini area of the held-back effects with its interval; `shows_evidence_` is False if it includes zero.
        comparison_: method -> its area and, but for the first, its gain over the one it had to beat.
        effect_: mean effect (treated − control).
        classes_: both outcomes, sorted, the second counted; None if y is an amount.
        treatments_: (control, treated).
    """

    def __init__(
        self,
        *,
        method: Method = "auto",
        control: Any = None,
        penalty: float = 10.0,
        folds: int = 5,
        held_back_rows: int = 100_000,
        random_state: Any = 0,
    ) -> None:
        self.method = method
        self.control = control
        self.penalty = penalty
        self.folds = folds
        self.held_back_rows = held_back_rows
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def fit(self, X: Any, y: Any, treatment: Any) -> Self:
        """Fit on a table, its outcomes (two values, or an amount) and the arm of each row.

        Raises:
            ValueError: an empty arm, more than two arms, a control that cannot be told, missing values.
        """
        if self.method not in ("auto", *METHODS):
            raise ValueError(f"method is {self.method!r}; it is auto, {', '.join(METHODS)}.")
        frame = read_table(self, X, reset=True, least_rows=2)
        outcome = self._read_outcome(y, len(frame))
        treated = self._read_treatment(treatment, len(frame))
        self._seed = seed_of(self.random_state)
        self.effect_ = float(outcome[treated].mean() - outcome[~treated].mean())
        self.reader_ = TableReader().fit(frame)
        self.columns_ = self.reader_.columns_
        matrix = self.reader_.transform(frame)
        with threads_for(*matrix.shape):
            self._choose(matrix, outcome, treated)
            self.learner_ = self._learner(self.method_).fit(matrix, outcome, treated)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Effect of treating each row: change of the probability of `classes_[1]`, or of the amount."""
        untreated, treated = self.predict_outcomes(X).T
        return np.asarray(treated - untreated)

    def predict_outcomes(self, X: Any) -> np.ndarray:
        """Expected outcome untreated and treated, of shape (rows, 2)."""
        check_is_fitted(self)
        frame = read_table(self, X, reset=False)
        parts = [np.empty((0, 2))]
        with one_thread():
            for start in range(0, len(frame), _CHUNK):
                matrix = self.reader_.transform(frame.iloc[start : start + _CHUNK])
                parts.append(np.column_stack(self.learner_.outcomes(matrix)))
        return np.concatenate(parts)

    @property
    def shows_evidence_(self) -> bool:
        """Whether targeting by these effects beats random on rows held back."""
        return self.qini_ is not None and self.qini_.shows_evidence

    def _read_outcome(self, y: Any, rows: int) -> np.ndarray:
        values = read_target(self, y, rows)
        numeric = values.dtype.kind in "iuf" and not is_two_valued(values)
        if numeric:
            self.classes_: np.ndarray | None = None
            return values.astype(np.float64)
        self.classes_, places = read_classes(self, values, rows)
        if len(self.classes_) > 2:
            raise ValueError(f"y holds {len(self.classes_)} labels; two are needed, or an amount.")
        if len(self.classes_) == 1 and values.dtype.kind in "iufb":
            return values.astype(np.float64)
        return places.astype(np.float64)

    def _read_treatment(self, treatment: Any, rows: int) -> np.ndarray:
        arms, places = read_classes(self, treatment, rows, "treatment")
        if len(arms) != 2:
            raise ValueError(
                f"treatment holds {len(arms)} values ({list(arms[:5])}); a trial has two: control, treated."
            )
        control = _find_control(list(arms), self.control)
        self.treatments_ = (arms[control], arms[1 - control])
        return np.asarray(places != control)

    def _learner(self, method: str) -> EffectLearner:
        binary = self.classes_ is not None
        if method == "trees":
            return TwoBoosters(self.reader_, binary=binary, random_state=self._seed)
        kind = TwoLinear if method == "t_learner" else DoublyRobust
        return kind(self.reader_, binary=binary, penalty=self.penalty, random_state=self._seed)

    def _choose(self, matrix: np.ndarray, y: np.ndarray, treated: np.ndarray) -> None:
        if len(y) > self.held_back_rows:
            kept, _ = train_test_split(
                np.arange(len(y)), train_size=self.held_back_rows, stratify=treated, random_state=self._seed
            )
            matrix, y, treated = matrix[kept], y[kept], treated[kept]
        self.method_ = METHODS[0] if self.method == "auto" else self.method
        self.qini_: Qini | None = None
        self.comparison_: dict[str, dict[str, Qini]] = {}
        # Arms and outcomes together, so that each fold holds both.
        strata = treated * 2 + (y > np.median(y) if self.classes_ is None else y > 0)
        folds = int(min(self.folds, np.bincount(treated.astype(int)).min()))
        if folds < 2:
            return
        splits = list(_folds(strata, treated, folds, self._seed))
        effects: dict[str, np.ndarray] = {}
        for method in METHODS if self.method == "auto" else [self.method_]:
            effects[method] = np.empty(len(y))
            for train, held in splits:
                learner = self._learner(method).fit(matrix[train], y[train], treated[train])
                effects[method][held] = learner.effect(matrix[held])
            area = qini(y, treated, effects[method], random_state=self._seed)
            self.comparison_[method] = {"area": area}
            if method != self.method_:
                gain = qini_gain(y, treated, effects[method], effects[self.method_], random_state=self._seed)
                self.comparison_[method]["gain"] = gain
                if gain.shows_evidence and area.shows_evidence:
                    self.method_ = method
        self.qini_ = self.comparison_[self.method_]["area"]


def _folds(strata: np.ndarray, treated: np.ndarray, folds: int, seed: int) -> Any:
    rare = np.bincount(strata.astype(int))
    by = strata if rare[rare > 0].min() >= folds else treated
    return StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(len(by)), by)


def _find_control(arms: list[Any], named: Any) -> int:
    texts = [str(arm) for arm in arms]
    if named is not None:
        if str(named) not in texts:
            raise ValueError(f"control is {named!r}; the treatment's values are {texts}.")
        return texts.index(str(named))
    if not isinstance(arms[0], str):
        return 0
    numbers = {"0": 0, "0.0": 0}
    found = [place for place, text in enumerate(texts) if _CONTROL.search(text.strip()) or text.strip() in numbers]
    if len(found) != 1:
        raise ValueError(f"Which of {texts} is the control cannot be told; name it: UpliftClassifier(control=…).")
    return found[0]
