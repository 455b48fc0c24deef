"""What sets a segment apart, in a form that words can be made of: deviations, and a small tree that retells it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from ml.models.behaviour import BehaviourScale
from ml.models.columns import FEW_LEVELS, as_text

_TREE_DEPTH = 3
_TREE_ROWS = 50_000


@dataclass(frozen=True)
class Deviation:
    """One way in which a segment differs from all rows.

    Attributes:
        column: the column.
        direction: "high" or "low"; "often" for a category's level.
        strength: distance of the segment's mean in standard deviations (for a level: of its share).
        here, overall: median of the column in the segment and in all rows (for a level: its share).
        level: the category's level, else None.
    """

    column: str
    direction: str
    strength: float
    here: float
    overall: float
    level: str | None = None


@dataclass(frozen=True)
class Portrait:
    """A segment, its size and its strongest deviations, strongest first."""

    segment: int
    rows: int
    share: float
    deviations: tuple[Deviation, ...]

    def numbered(self, segment: int) -> "Portrait":
        """The same under another number."""
        return replace(self, segment=segment)


@dataclass(frozen=True)
class Rule:
    """A leaf of the tree: conditions (column, "≤" or ">", border) that all hold, and the segment of most rows there."""

    conditions: tuple[tuple[str, str, float], ...]
    segment: int
    share: float


@dataclass(frozen=True)
class TreeSummary:
    """A tree of depth 3 that retells the segments.

    Attributes:
        rules: its leaves.
        fidelity: share of rows, held back from growing it, that it puts into their segment.
    """

    rules: tuple[Rule, ...]
    fidelity: float

    def renumbered(self, numbers: np.ndarray) -> "TreeSummary":
        """The same with segment i called numbers[i]."""
        rules = tuple(replace(rule, segment=int(numbers[rule.segment])) for rule in self.rules)
        return replace(self, rules=rules)


def portraits(
    frame: pd.DataFrame, scale: BehaviourScale, points: np.ndarray, labels: np.ndarray, most: int = 5
) -> list[Portrait]:
    """Portrait of each segment, numbered 0…; deviations weaker than a quarter standard deviation are left out."""
    raw = scale.raw(frame)
    codes = [(c.name, c.levels, as_text(frame.iloc[:, c.position])) for c in scale.reader.categories_]
    few = [(name, np.array(texts, dtype=object)[place], place >= 0) for name, levels, (place, texts) in codes if texts]
    out = []
    for segment in range(int(labels.max()) + 1):
        inside = labels == segment
        found = _numbers(scale, raw, points, inside) if scale.by_numbers else []
        for name, texts, known in few:
            found += _levels(name, texts, known, inside)
        found = sorted((d for d in found if d.strength >= 0.25), key=lambda d: -d.strength)[:most]
        out.append(Portrait(segment, int(inside.sum()), float(inside.mean()), tuple(found)))
    return out


def _numbers(scale: BehaviourScale, raw: np.ndarray, points: np.ndarray, inside: np.ndarray) -> list[Deviation]:
    found = []
    for i, name in enumerate(scale.names):
        distance = float(points[inside, i].mean() - points[:, i].mean())
        here, overall = raw[inside, i], raw[:, i]
        median = float(np.nanmedian(here)) if not np.isnan(here).all() else float("nan")
        direction = "high" if distance > 0 else "low"
        found.append(Deviation(name, direction, abs(distance), median, float(np.nanmedian(overall))))
    return found


def _levels(name: str, texts: np.ndarray, known: np.ndarray, inside: np.ndarray) -> list[Deviation]:
    levels, counts = np.unique(texts[known].astype(str), return_counts=True)
    found = []
    for level in levels[np.argsort(-counts, kind="stable")][:FEW_LEVELS]:
        has = known & (texts == level)
        overall, here = float(has.mean()), float(has[inside].mean())
        spread = (overall * (1 - overall)) ** 0.5
        if here > overall and spread > 0:
            found.append(Deviation(name, "often", (here - overall) / spread, here, overall, str(level)))
    return found


def summarise(raw: np.ndarray, names: list[str], labels: np.ndarray, seed: int) -> TreeSummary:
    """The tree that retells `labels` from the columns as they are, and its fidelity on held-back rows."""
    if len(labels) > _TREE_ROWS:
        kept = np.random.default_rng(seed).choice(len(labels), _TREE_ROWS, replace=False)
        raw, labels = raw[kept], labels[kept]
    tree = DecisionTreeClassifier(max_depth=_TREE_DEPTH, min_samples_leaf=max(1, len(labels) // 200), random_state=seed)
    folds = int(min(5, np.bincount(labels)[np.unique(labels)].min()))
    if folds >= 2 and len(np.unique(labels)) > 1:
        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        fidelity = float(accuracy_score(labels, cross_val_predict(tree, raw, labels, cv=splitter)))
        tree.fit(raw, labels)
    else:
        fidelity = float(accuracy_score(labels, tree.fit(raw, labels).predict(raw)))
    return TreeSummary(tuple(_rules(tree, names)), fidelity)


def _rules(tree: Any, names: list[str]) -> list[Rule]:
    grown = tree.tree_
    rules: list[Rule] = []

    def descend(node: int, conditions: tuple[tuple[str, str, float], ...]) -> None:
        if grown.children_left[node] < 0:
            shares = grown.value[node][0] / grown.value[node][0].sum()
            rules.append(Rule(conditions, int(tree.classes_[shares.argmax()]), float(shares.max())))
            return
        name, border = names[grown.feature[node]], float(grown.threshold[node])
        descend(int(grown.children_left[node]), (*conditions, (name, "≤", border)))
        descend(int(grown.children_right[node]), (*conditions, (name, ">", border)))

    descend(0, ())
    return rules
