"""What a complaint is about, suggested while the agent types, in Chinese and English."""

import hashlib
import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from ml.models.inputs import seed_of
from ml.models.labels import LabelForm
from ml.models.margins import Margins, Mixture, confident_from, held_back, mix
from ml.models.text import normalise, read_texts, same_texts
from ml.models.vocabulary import Vocabulary


@dataclass(frozen=True)
class Suggestion:
    """One suggested type.

    Attributes:
        label: in the form in which labels were given.
        confidence: probability that it is right.
        is_confident: whether suggestions this sure are right in the promised share of cases.
        levels: the label's path.
        level_confidence: probability of each step of the path: "a fault of some kind" may be sure where the leaf is
            not.
    """

    label: Any
    confidence: float
    is_confident: bool
    levels: tuple[str, ...]
    level_confidence: tuple[float, ...]


class ComplaintClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Type of a text, with calibrated confidence; learns from corrections.

    Pieces of text (characters, pairs of characters, English words) weighted by TF-IDF; a linear support vector machine,
    mixed where that helps with naive Bayes and with a machine whose pieces are weighed by naive Bayes, the margins
    turned into probabilities by weights found on held-back texts; copies of a text never stand on both sides.

    Args:
        precision: share of right suggestions wanted above `threshold_`.
        penalty: inverse of the machine's C.
        separator: between the steps of a path written as text.
        correction_weight: weight of a corrected text against one of the first fit.
        most_pieces: size of the vocabulary.
        folds: folds of the held-back texts.
        random_state: everything that draws lots draws from it.

    Attributes:
        classes_: the labels in the form given; paths given as tuples are tuples.
        threshold_: smallest confidence at and above which held-back suggestions were right in `precision` of cases;
            infinite if none was.
        mixture_: weights of the members' margins.
        coverage_: share of held-back texts at or above it; the rest goes to a person.
    """

    def __init__(
        self,
        *,
        precision: float = 0.9,
        penalty: float = 1.0,
        separator: str = ".",
        correction_weight: float = 3.0,
        most_pieces: int = 200_000,
        folds: int = 5,
        random_state: Any = 0,
    ) -> None:
        self.precision = precision
        self.penalty = penalty
        self.separator = separator
        self.correction_weight = correction_weight
        self.most_pieces = most_pieces
        self.folds = folds
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = tags.input_tags.string = tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Fit on texts and their labels (flat values, dotted paths, tuples or lists).

        Raises:
            ValueError: one class only, a missing label, or another number of labels than of texts.
        """
        texts = read_texts(X)
        self._labels = LabelForm()
        self._targets = self._labels.fit(y, self.separator)
        if len(texts) != len(self._targets):
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: [{len(texts)}, {len(self._targets)}]"
            )
        if len(self._labels.levels) < 2:
            raise ValueError(f"y holds {len(self._labels.levels)} class; at least two are needed to tell them apart.")
        self._seed = seed_of(self.random_state)
        self._words = Vocabulary(self.most_pieces).fit(texts)
        self._rows = self._words.transform(texts)
        self._marks = np.array([_mark(text) for text in texts])
        self._weights = np.ones(len(texts))
        self._calibrate(same_texts(texts))
        self._learn()
        return self

    def partial_update(self, X: Any, y: Any) -> Self:
        """Learn from corrected texts: they weigh `correction_weight`, replace earlier labels of the same text, and may
        hold labels not seen before. Mixture and threshold stay until the next `fit`.
        """
        check_is_fitted(self)
        texts = read_texts(X)
        targets = self._labels.extend(y)
        if len(texts) != len(targets):
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: [{len(texts)}, {len(targets)}]"
            )
        marks = np.array([_mark(text) for text in texts], dtype=self._marks.dtype)
        last = len(marks) - 1 - np.unique(marks[::-1], return_index=True)[1]
        kept = ~np.isin(self._marks, marks)
        self._words.extend(texts)
        self._rows.resize((self._rows.shape[0], len(self._words.place)))
        self._rows = sparse.vstack([self._rows[kept], self._words.transform([texts[i] for i in last])]).tocsr()
        self._targets = np.concatenate([self._targets[kept], targets[last]])
        self._marks = np.concatenate([self._marks[kept], marks[last]])
        self._weights = np.concatenate([self._weights[kept], np.full(len(last), self.correction_weight)])
        self._learn()
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of shape (texts, classes)."""
        check_is_fitted(self)
        texts = read_texts(X)
        if not texts:
            return np.empty((0, len(self.classes_)))
        margins = self._words.transform(texts) @ self._slopes + self._offsets
        return np.asarray(softmax(margins, axis=1))

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest label of each text."""
        check_is_fitted(self)
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def suggest(self, texts: Any, top: int = 3) -> list[list[Suggestion]]:
        """For each text the `top` likeliest types, likeliest first; a text without words gets none."""
        given = read_texts(texts)
        probabilities = self.predict_proba(given)
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
        return [
            [self._suggestion(row, int(place)) for place in places] if normalise(text) else []
            for text, row, places in zip(given, probabilities, order, strict=True)
        ]

    def _suggestion(self, row: np.ndarray, place: int) -> Suggestion:
        levels = self._labels.levels[place]
        steps = tuple(min(float(row[kin].sum()), 1.0) for kin in self._kin[place])
        confidence = float(row[place])
        label = self.classes_[place]
        plain = label.item() if isinstance(label, np.generic) else label
        return Suggestion(plain, confidence, confidence >= self.threshold_, levels, (*steps, confidence))

    def _learn(self) -> None:
        self.classes_ = self._labels.classes
        classes, c, tilts = len(self.classes_), 1.0 / self.penalty, self.mixture_.tilted > 0
        model = Margins(self._rows, self._targets, self._weights, classes, c, self._seed, tilts=tilts)
        self._slopes, self._offsets = model.mixed(self.mixture_)
        members: dict[tuple[str, ...], list[int]] = {}
        for place, levels in enumerate(self._labels.levels):
            for depth in range(len(levels)):
                members.setdefault(levels[: depth + 1], []).append(place)
        self._kin = [
            [members[levels[: depth + 1]] for depth in range(len(levels) - 1)] for levels in self._labels.levels
        ]

    def _calibrate(self, groups: np.ndarray) -> None:
        """Mixture, threshold and coverage from margins of texts held back, copies together."""
        self.mixture_, self.threshold_, self.coverage_ = Mixture(2.0, 0.0), math.inf, 0.0
        classes = len(self._labels.levels)
        held = held_back(self._rows, self._targets, groups, classes, 1.0 / self.penalty, self.folds, self._seed)
        if held is None:
            return
        margins, targets = held
        self.mixture_ = mix(margins, targets)
        probabilities = softmax(self.mixture_.of(*margins), axis=1)
        right = probabilities.argmax(axis=1) == targets
        self.threshold_, self.coverage_ = confident_from(probabilities.max(axis=1), right, self.precision)


def _mark(text: str) -> str:
    """A text's fingerprint: corrections find the row they replace although no text is kept."""
    return hashlib.blake2b(normalise(text).encode(), digest_size=8).hexdigest()
