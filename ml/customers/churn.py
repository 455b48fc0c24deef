"""Who will leave of their own will soon, judged by a split in time."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from core.errors import CrmError
from core.settings import Settings
from ml.customers.judging import auc_gain, by_group, drivers, judge
from ml.customers.scores import Scored, Words, reason_texts, reasons_of, table_of
from ml.evaluation import Bins
from ml.features import Span, feature_columns, read_features, read_outcomes
from ml.models import PropensityClassifier
from ml.parameters import parameters

MODEL = "churn"
#: Days of contacts that an as-of date needs before it.
_LOOK_BACK = 28


class TooLittleDataError(CrmError):
    """The history is too short, or the outcome too rare, for the model."""


@dataclass(frozen=True)
class Plan:
    """When is learnt and when is judged: no outcome of a learning date lies beyond the judging date."""

    gap: int
    horizon: int
    learn: tuple[date, ...]
    judge: date

    @property
    def dates(self) -> tuple[date, ...]:
        """Every as-of date whose features are needed."""
        return (*self.learn, self.judge)


def plan(span: Span) -> Plan:
    """The as-of dates for a history; a short one gets a shorter horizon.

    Raises:
        TooLittleDataError: fewer than 60 days.
    """
    wanted = parameters()[MODEL]
    gap = wanted["gap_days"] if span.days >= 2 * (wanted["gap_days"] + wanted["horizon_days"]) + _LOOK_BACK else 2
    horizon = min(wanted["horizon_days"], (span.days - 2 * gap - _LOOK_BACK) // 2)
    if horizon < 14:
        raise TooLittleDataError(
            f"The marts hold {span.days} days of contacts; the leaving model needs 60.", "Gather more history first."
        )
    judged = span.next_day - timedelta(days=gap + horizon)
    latest = judged - timedelta(days=gap + horizon)
    first = span.first + timedelta(days=_LOOK_BACK)
    learn = tuple(day for step in range(wanted["train_dates"]) if (day := latest - timedelta(days=30 * step)) >= first)
    return Plan(gap, horizon, learn, judged)


def labelled(settings: Settings, as_of: date, planned: Plan) -> tuple[pd.DataFrame, np.ndarray]:
    """Features of one date and who left within the window; movers, deaths and who left within the gap are left out."""
    limits = parameters()[MODEL]
    frame = read_features(settings, as_of, most_rows=limits["most_rows"])
    later = read_outcomes(settings, as_of).set_index("customer_key").reindex(frame["customer_key"])
    after = later["leaves_after_days"].to_numpy(np.float64)
    inside = (after >= planned.gap) & (after < planned.gap + planned.horizon)
    left_out = (after < planned.gap) | (inside & later["leave_reason"].isin(limits["reasons_left_out"]).to_numpy())
    return frame[~left_out].reset_index(drop=True), inside[~left_out]


def learn(settings: Settings, planned: Plan) -> tuple[PropensityClassifier, dict[str, Any], pd.DataFrame]:
    """Fit on the learning dates, judge at the judging date.

    Returns:
        the model, its metrics and data, and the rows that it learnt from (with `left`).

    Raises:
        TooLittleDataError: too few customers left.
    """
    parts = [labelled(settings, day, planned) for day in planned.learn]
    table = pd.concat([frame for frame, _ in parts], ignore_index=True)
    target = np.concatenate([left for _, left in parts])
    judged, outcome = labelled(settings, planned.judge, planned)
    least = parameters()[MODEL]["least_leavers"]
    for count, where in ((target.sum(), "to learn from"), (outcome.sum(), "to judge by")):
        if count < least:
            raise TooLittleDataError(
                f"Only {int(count)} customers left of their own will {where}; {least} are needed.",
                "Gather more history, or lower churn.least_leavers in ml/parameters.yml.",
            )
    columns = feature_columns(table)
    model = PropensityClassifier().fit(table[columns], target)
    told = judged_against_tenure(model, judged, outcome)
    told["learnt_rows"], told["learnt_leavers"] = len(table), int(target.sum())
    return model, told, table[columns].assign(left=target)


def judged_against_tenure(model: Any, judged: pd.DataFrame, outcome: np.ndarray) -> dict[str, Any]:
    """Figures at the judging date, tenure alone as the baseline, and by branch."""
    columns = feature_columns(judged)
    probability = model.predict_proba(judged[columns])[:, 1]
    tenure = -judged["tenure_days"].to_numpy(np.float64)
    # Tenure may point either way: the baseline gets the better one.
    tenure = tenure if roc_auc_score(outcome, tenure) >= 0.5 else -tenure
    gain, low, high = auc_gain(outcome, probability, tenure)
    return judge(outcome, probability) | {
        "baseline": "tenure_days",
        "baseline_auc": float(roc_auc_score(outcome, tenure)),
        "gain": gain,
        "gain_low": low,
        "gain_high": high,
        "judged_rows": len(judged),
        "judged_leavers": int(outcome.sum()),
        "by_branch": by_group(outcome, probability, judged["city_code"]),
        "drivers": drivers(model, judged[columns]),
        "score_bins": _plain(Bins.of(pd.Series(probability))),
    }


def _plain(bins: Bins) -> dict[str, list[float]]:
    return {"edges": list(bins.edges), "shares": list(bins.shares)}


def words(columns: list[str], cities: dict[str, tuple[str, str]], planned_horizon: int) -> Words:
    """Words of the model's codes."""
    return {
        "": ("流失风险", "Risk of leaving"),
        "label:high": ("高风险", "high risk"),
        "label:medium": ("中风险", "medium risk"),
        "label:low": ("低风险", "low risk"),
        "horizon": (
            f"未来 {planned_horizon} 天内主动离网的概率",
            f"Probability of leaving within {planned_horizon} days",
        ),
    } | reason_texts(columns, cities)


def score(model: Any, frame: pd.DataFrame, *, version: str, as_of: date, said: Words) -> Scored:
    """Every customer's probability of leaving, with reasons."""
    used = frame[list(model.feature_names_in_)]
    probability, places, moved = model.reasoned(used)
    table = table_of(frame, probability, None, reasons_of(used, places, moved), version=version, as_of=as_of)
    return Scored(MODEL, version, as_of, table, said)
