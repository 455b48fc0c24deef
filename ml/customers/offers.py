"""Who resembles those that take a product: propensity, not the effect of an offer."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split

from ml.customers.churn import TooLittleDataError
from ml.customers.judging import WORTHWHILE, auc_gain, drivers, judge
from ml.customers.scores import Scored, Words, reason_texts, reasons_of, table_of
from ml.features import feature_columns
from ml.models import PropensityClassifier
from ml.parameters import parameters

#: What a customer has says nothing about what it will take once it is the thing asked: all holdings are left out.
_HOLDINGS = (
    "has_cable_tv", "has_digital_tv", "has_broadband", "has_private_network", "products", "subscriptions", "points",
    "monthly_fee_yuan", "fee_against_usual", "newest_product_days", "key_level",
)  # fmt: skip
_PEERS = ("kind", "city_code")
_LEAST = 100
_NAMES = {
    "broadband": ("宽带意向", "Broadband"),
    "digital_tv": ("数字电视意向", "Digital TV"),
    "private_network": ("专网意向", "Private network"),
}


def model_name(product: str) -> str:
    """The name of a product's model."""
    return f"offer_{product}"


def products() -> list[str]:
    """The products that are offered."""
    return list(parameters()["offers"])


class PeerRates(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Share of takers among customers of the same kind and city: what is used where nothing better was shown."""

    def __init__(self, smoothing: float = 20.0) -> None:
        self.smoothing = smoothing

    def fit(self, X: pd.DataFrame, y: Any) -> "PeerRates":
        """Count takers by kind and city; small groups lean towards the mean."""
        target = np.asarray(y, dtype=np.float64)
        self.classes_ = np.array([False, True])
        self.feature_names_in_ = np.array(_PEERS, dtype=object)
        self.mean_ = float(target.mean())
        keys = _peer_keys(X)
        taken, count = pd.Series(target).groupby(keys).sum(), pd.Series(target).groupby(keys).size()
        rate = (taken + self.smoothing * self.mean_) / (count + self.smoothing)
        self.keys_, self.rates_ = rate.index.to_list(), rate.to_numpy()
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Probabilities of shape (rows, 2)."""
        rates = dict(zip(self.keys_, self.rates_, strict=True))
        second = pd.Series(_peer_keys(X)).map(rates).fillna(self.mean_).to_numpy(np.float64)
        return np.column_stack([1 - second, second])

    def reasoned(self, X: pd.DataFrame, top: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Probabilities; the reasons are the group itself: kind, then city."""
        second = self.predict_proba(X)[:, 1]
        places, moved = np.full((len(X), top), -1, np.int64), np.zeros((len(X), top))
        used = min(top, len(_PEERS))
        places[:, :used] = [list(X.columns).index(name) for name in _PEERS[:used]]
        moved[:, :used] = np.where(second >= self.mean_, 1.0, -1.0)[:, None]
        return second, places, moved


def _peer_keys(X: pd.DataFrame) -> np.ndarray:
    return (X[_PEERS[0]].astype(str) + "|" + X[_PEERS[1]].astype(str)).to_numpy(dtype=object)


def eligible(frame: pd.DataFrame, product: str) -> pd.DataFrame:
    """Customers of the kinds to which the product is offered."""
    return frame[frame["kind"].isin(parameters()["offers"][product]["eligible_kinds"])].reset_index(drop=True)


def learn(frame: pd.DataFrame, product: str, seed: int = 0) -> tuple[Any, dict[str, Any], pd.DataFrame]:
    """Fit on seven tenths of the customers, judge on the rest; without a gain the peers' rates are the model.

    Raises:
        TooLittleDataError: too few have the product, or too few lack it.
    """
    table = eligible(frame, product)
    target = table[f"has_{product}"].to_numpy(bool)
    if min(target.sum(), (~target).sum()) < _LEAST:
        raise TooLittleDataError(
            f"{int(target.sum())} of {len(target)} customers take {product}; at least {_LEAST} must and must not.",
            "Nothing can be learnt yet; leave the offer out.",
        )
    columns = [name for name in feature_columns(table) if name not in _HOLDINGS]
    train, held = train_test_split(np.arange(len(table)), test_size=0.3, stratify=target, random_state=seed)
    train = train[:200_000]
    peers = PeerRates().fit(table.iloc[train], target[train])
    richer = PropensityClassifier().fit(table.iloc[train][columns], target[train])
    base = peers.predict_proba(table.iloc[held])[:, 1]
    probability = richer.predict_proba(table.iloc[held][columns])[:, 1]
    gain, low, high = auc_gain(target[held], probability, base, seed)
    better = gain >= WORTHWHILE and low > 0
    model: Any = richer if better else peers
    told = judge(target[held], probability if better else base) | {
        "baseline": "kind × city",
        "baseline_auc": judge(target[held], base)["auc"],
        "gain": gain, "gain_low": low, "gain_high": high,
        "used": "propensity" if better else "peer_rates",
        "judged_rows": len(held),
        "drivers": drivers(richer, table.iloc[held][columns]) if better else {},
        "median_fee_yuan": float(table.loc[target, "monthly_fee_yuan"].median()),
    }  # fmt: skip
    return model, told, table.iloc[train][columns].assign(taken=target[train])


def words(product: str, columns: list[str], cities: dict[str, tuple[str, str]]) -> Words:
    """Words of the model's codes."""
    zh, en = _NAMES[product]
    return {
        "": (zh, f"{en}: likely to take it"),
        "label:high": ("意向高", "high propensity"),
        "label:medium": ("意向中", "medium propensity"),
        "label:low": ("意向低", "low propensity"),
    } | reason_texts(columns, cities)


def score(model: Any, frame: pd.DataFrame, product: str, *, version: str, as_of: date, said: Words) -> Scored:
    """Every eligible customer without the product: how much it resembles those that have it."""
    wanting = eligible(frame, product)
    wanting = wanting[~wanting[f"has_{product}"].astype(bool)].reset_index(drop=True)
    used = wanting[list(model.feature_names_in_)]
    probability, places, moved = model.reasoned(used)
    table = table_of(wanting, probability, None, reasons_of(used, places, moved), version=version, as_of=as_of)
    return Scored(model_name(product), version, as_of, table, said)
