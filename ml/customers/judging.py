"""How a propensity is judged: ranking, lift, calibration, each against a baseline on the same customers."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from ml.evaluation import calibration_error, lift_at

_DRAWS = 200
#: A new version must rank better than what it replaces by at least this much AUC.
WORTHWHILE = 0.005


def judge(outcome: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """AUC, average precision, lift of the highest tenth, Brier score, calibration error, rates."""
    return {
        "auc": float(roc_auc_score(outcome, probability)),
        "average_precision": float(average_precision_score(outcome, probability)),
        "lift_10": lift_at(outcome, probability, 0.1),
        "brier": float(brier_score_loss(outcome, probability)),
        "calibration_error": calibration_error(outcome, probability),
        "rate": float(np.mean(outcome)),
        "mean_probability": float(np.mean(probability)),
    }


def auc_gain(outcome: np.ndarray, score: np.ndarray, other: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """AUC of `score` minus that of `other` on the same rows, with its 95 % bootstrap interval."""
    rng = np.random.default_rng(seed)
    gain = float(roc_auc_score(outcome, score) - roc_auc_score(outcome, other))
    draws = []
    for _ in range(_DRAWS):
        rows = rng.integers(0, len(outcome), len(outcome))
        if 0 < outcome[rows].sum() < len(rows):
            draws.append(roc_auc_score(outcome[rows], score[rows]) - roc_auc_score(outcome[rows], other[rows]))
    low, high = np.quantile(draws, [0.025, 0.975]) if draws else (np.nan, np.nan)
    return gain, float(low), float(high)


def by_group(outcome: np.ndarray, probability: np.ndarray, group: pd.Series) -> dict[str, dict[str, float]]:
    """Rate, mean probability and rows of each group: is the model fair to every branch?"""
    table = pd.DataFrame({"rate": outcome, "probability": probability, "group": group.astype(str).to_numpy()})
    grouped = table.groupby("group")
    result: dict[str, dict[str, float]] = (
        grouped[["rate", "probability"]].mean().assign(rows=grouped.size()).round(5).to_dict("index")  # type: ignore[assignment]  # pandas names its keys as hashable
    )
    return result


def drivers(model: Any, frame: pd.DataFrame, most: int = 8) -> dict[str, float]:
    """Mean absolute contribution of the strongest columns, in log-odds."""
    parts, _ = model.contributions(frame.sample(min(len(frame), 5000), random_state=0))
    mean = parts.abs().mean().sort_values(ascending=False)
    return {str(name): float(value) for name, value in mean.head(most).items() if value > 0}
