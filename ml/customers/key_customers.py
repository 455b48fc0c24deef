"""Who is a key customer: a transparent score of five parts, and the levels that follow from it."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crm_api.customers.models import KEY_LEVELS
from ml.customers.scores import Scored, Words, table_of
from ml.parameters import parameters

MODEL = "key_customer"
PARTS = ("revenue", "outlook", "size", "breadth", "loyalty")
_WORDS = {
    "revenue": ("年收入贡献 {value} 分", "Yearly revenue: {value} points"),
    "outlook": ("未来 12 个月预期毛利 {value} 分", "Expected margin of the next 12 months: {value} points"),
    "size": ("终端规模 {value} 分", "Connection points: {value} points"),
    "breadth": ("产品数 {value} 分", "Breadth of products: {value} points"),
    "loyalty": ("在网时长 {value} 分", "Years with us: {value} points"),
}


@dataclass(frozen=True)
class Parts:
    """The parts of every customer's score, in points; their sum is the score (0 … 100)."""

    points: pd.DataFrame
    expected_margin_yuan: np.ndarray

    @property
    def score(self) -> np.ndarray:
        """The sum."""
        total: np.ndarray = self.points.to_numpy().sum(axis=1)
        return total


def parts_of(frame: pd.DataFrame, leaves: np.ndarray, horizon_days: int) -> Parts:
    """The parts from the features and the probability of leaving within `horizon_days`.

    The outlook is the yearly margin times the share of the coming year that the customer will still be there if the
    chance of leaving stays as it is.
    """
    given = parameters()[MODEL]
    fee = 12 * frame["monthly_fee_yuan"].to_numpy(np.float64)
    rate = -np.log1p(-np.clip(leaves, 0, 0.999)) * 365 / horizon_days
    present = np.where(rate > 1e-9, -np.expm1(-rate) / np.maximum(rate, 1e-9), 1.0)
    margin = fee * given["margin_share"] * present
    points = pd.DataFrame(
        {
            "revenue": _root_points(fee, given["revenue"]),
            "outlook": _root_points(margin, given["outlook"]),
            "size": _log_points(frame["points"].to_numpy(np.float64), given["size"]),
            "breadth": _linear_points(frame["products"].to_numpy(np.float64), given["breadth"]),
            "loyalty": _linear_points(frame["tenure_days"].to_numpy(np.float64), given["loyalty"]),
        }
    )
    return Parts(points, margin)


def _root_points(value: np.ndarray, part: dict[str, float]) -> np.ndarray:
    """On a log scale ten times the money told less than ten years of loyalty, and the list brought less margin."""
    return np.asarray(part["points"] * np.sqrt(np.clip(value / part["full_at"], 0.0, 1.0)))


def _log_points(value: np.ndarray, part: dict[str, float]) -> np.ndarray:
    return np.asarray(part["points"] * np.minimum(np.log1p(np.maximum(value, 0)) / np.log1p(part["full_at"]), 1.0))


def _linear_points(value: np.ndarray, part: dict[str, float]) -> np.ndarray:
    return np.asarray(part["points"] * np.clip(value / part["full_at"], 0.0, 1.0))


def borders(score: np.ndarray) -> dict[str, float]:
    """The score from which on each level begins."""
    shares = parameters()[MODEL]["shares"]
    return {level: float(np.quantile(score, 1 - shares[level])) if len(score) else np.inf for level in shares}


def levels(score: np.ndarray, present: np.ndarray) -> np.ndarray:
    """The level that each score gives; one held now is kept while the score stays near its border.

    Args:
        score: 0 … 100.
        present: the levels held now.
    """
    begin, stays = borders(score), parameters()[MODEL]["stays_within"]
    rank = np.zeros(len(score), np.int64)
    for number, level in enumerate(KEY_LEVELS):
        if level in begin:
            held = pd.Series(present).map({name: place for place, name in enumerate(KEY_LEVELS)}).to_numpy() >= number
            rank = np.where(score >= np.where(held, begin[level] * stays, begin[level]), number, rank)
    return np.array(KEY_LEVELS, dtype=object)[rank]


def words() -> Words:
    """Words of the model's codes."""
    return {
        "": ("大客户评分", "Key customer score"),
        "label:none": ("普通客户", "no key customer"),
        "label:silver": ("银卡", "silver"),
        "label:gold": ("金卡", "gold"),
        "label:platinum": ("白金", "platinum"),
    } | _WORDS


def score(frame: pd.DataFrame, found: Parts, *, version: str, as_of: date) -> Scored:
    """Every customer's score, the level it gives, and its parts as reasons (largest first)."""
    total = found.score
    level = levels(total, frame["key_level"].astype(str).to_numpy())
    order = np.argsort(-found.points.to_numpy(), axis=1, kind="stable")[:, :3]
    names = np.array([f"{name}=" for name in PARTS], dtype=object)
    written = []
    for rank in range(order.shape[1]):
        value = np.round(np.take_along_axis(found.points.to_numpy(), order[:, [rank]], axis=1)[:, 0], 1)
        written.append(
            pc.binary_join_element_wise(
                pa.array(names[order[:, rank]], pa.string()), pa.array(value).cast("string"), ""
            )
        )
    reasons = pc.binary_join_element_wise(*written, ";")
    table = table_of(frame, total, level, reasons, version=version, as_of=as_of)
    return Scored(MODEL, version, as_of, table, words())


def share_of_margin(margin: np.ndarray, score: np.ndarray, share: float = 0.01) -> float:
    """Share of the margin that the customers with the highest `share` of scores bring."""
    count = max(1, round(len(score) * share))
    best = np.argpartition(-score, count - 1)[:count]
    return float(margin[best].sum() / margin.sum()) if margin.sum() > 0 else float("nan")
