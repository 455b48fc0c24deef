"""The estimators in a stranger's hands: columns, clocks, scripts and tools that our own data do not have."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.datasets import load_breast_cancer, make_classification, make_moons
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ml.models import ComplaintClassifier, PropensityClassifier, Segmenter, UpliftClassifier, VolumeForecaster
from ml.models.columns import inspect


def _column(values: Any) -> tuple[str, str]:
    (found,) = inspect(pd.DataFrame({"value": values}))
    return found.kind, found.reason


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([f"$1,{i:03d}.50" for i in range(200)], "number"),
        ([f"{i / 2} %" for i in range(200)], "number"),
        ([f"￥{i % 70 * 3}" for i in range(200)], "number"),
        ([f"{1 + i % 28:02d}/0{1 + i % 9}/2024" for i in range(200)], "time"),
        ([date(2024, 1, 1) + timedelta(days=i) for i in range(200)], "time"),
        ([Decimal(i % 90) for i in range(200)], "number"),
        (pd.array([Decimal(i % 90) for i in range(200)], dtype=pd.ArrowDtype(pa.decimal128(10, 2))), "number"),
        (pd.array([1.5, None] * 100, dtype="float64[pyarrow]"), "number"),
        (pd.array(["a", None] * 100, dtype="string[pyarrow]"), "category"),
        (pd.cut(np.arange(200.0), 4), "category"),
        ([f"1{i:03d},234" for i in range(200)], "dropped"),
    ],
)
def test_columns_are_read_by_what_they_hold(values: Any, kind: str) -> None:
    assert _column(values)[0] == kind


def test_a_day_that_comes_first_is_told_from_one_date_that_can_only_be_so() -> None:
    days = pd.date_range("2024-01-01", periods=120, freq="D")
    y = days.month > 2
    table = pd.DataFrame({"since": days.strftime("%d/%m/%Y")})
    model = PropensityClassifier().fit(table, y)
    assert model.columns_[0].day_first
    # 3 January, read as 1 March, would lie on the other side.
    assert (model.predict(table.head(12)) == y[:12]).all()


def test_names_of_any_kind_and_as_many_columns_as_one_likes() -> None:
    rng = np.random.default_rng(0)
    y = rng.random(100) < 0.4
    for names in ([1, 2], ["a", None], [("a", "b"), ("a", "c")], ["a", "a"]):
        table = pd.DataFrame(rng.normal(size=(100, 2)), columns=names)
        assert PropensityClassifier(folds=2).fit(table, y).predict_proba(table).shape == (100, 2)
    wide = pd.concat(
        [pd.DataFrame(rng.normal(size=(100, 250))), pd.DataFrame(rng.choice(list("ab"), (100, 250)))], axis=1
    )
    p = PropensityClassifier(folds=2).fit(wide, y).predict_proba(wide)
    assert np.isfinite(p).all()


def _sets() -> dict[str, tuple[Any, Any]]:
    cancer = load_breast_cancer(as_frame=True)
    return {
        "cancer": (cancer.data, cancer.target),
        "interactions": make_classification(1500, 15, n_informative=8, n_clusters_per_class=4, random_state=1),
        "straight": make_classification(800, 15, n_informative=4, n_clusters_per_class=1, flip_y=0.1, random_state=0),
        "moons": make_moons(600, noise=0.3, random_state=0),
    }


@pytest.mark.parametrize("name", list(_sets()))
def test_it_does_not_lose_to_plain_rivals(name: str) -> None:
    table, y = _sets()[name]
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    auc, loss = {}, {}
    for rival in (
        PropensityClassifier(),
        HistGradientBoostingClassifier(random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
    ):
        p = cross_val_predict(rival, table, y, cv=folds, method="predict_proba")[:, 1]
        auc[type(rival).__name__], loss[type(rival).__name__] = roc_auc_score(y, p), log_loss(y, p)
    print(name, auc, loss)
    assert auc.pop("PropensityClassifier") > max(auc.values()) - 0.012
    assert loss.pop("PropensityClassifier") < min(loss.values()) + 0.02


def test_scikit_learns_tools_take_it() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=120), "kind": rng.choice(["a", "b"], 120)})
    search = GridSearchCV(PropensityClassifier(folds=2), {"penalty": [1, 10]}, cv=2, error_score="raise")
    assert search.fit(table, np.where(table["x"] > 0, "yes", "no")).best_score_ > 0.8


def test_a_treatment_that_is_missing_is_named() -> None:
    table = pd.DataFrame({"x": np.arange(10.0)})
    with pytest.raises(ValueError, match="treatment contains NaN"):
        UpliftClassifier().fit(table, [0, 1] * 5, pd.array([None, *([True, False] * 4), True], dtype="boolean"))


def test_mistyped_amounts_do_not_flatten_the_segments() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(np.concatenate([rng.normal(0, 1, (150, 3)), rng.normal(6, 1, (150, 3))]))
    before = Segmenter(n_clusters=2).fit(table).labels_
    table.iloc[0], table.iloc[200] = 1e9, -1e12
    after = Segmenter(n_clusters=2).fit(table).labels_
    kept = np.delete(before == after, [0, 200])
    assert kept.mean() in (0.0, 1.0)


@pytest.mark.parametrize(
    ("one", "other"), [("нет сигнала", "неверный счёт"), ("pas d'été", "trop très cher"), ("画面がない", "請求が違う")]
)
def test_texts_of_other_scripts_are_told_apart(one: str, other: str) -> None:
    texts = [f"{text} {place}" for place in range(40) for text in (one, other)]
    model = ComplaintClassifier(folds=2).fit(texts, ["a", "b"] * 40)
    assert list(model.predict([one, other])) == ["a", "b"]


def _hours(first: str, days: int, zone: str | None = None) -> pd.Series:
    index = pd.date_range(first, periods=24 * days, freq="h", tz=zone)
    mean = 5 + 20 * ((index.hour >= 8) & (index.hour < 20))
    return pd.Series(np.random.default_rng(0).poisson(mean), index=index)


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London"])
@pytest.mark.parametrize(("first", "hours"), [("2024-09-20", 24 * 50 + 1), ("2024-02-10", 24 * 50 - 1)])
def test_a_forecast_passes_the_change_of_the_clock(zone: str, first: str, hours: int) -> None:
    model = VolumeForecaster().fit(_hours(first, 21, zone))
    index = model.predict("50D").index
    last = model.grid_.with_zone(pd.DatetimeIndex([model.grid_.last]))[0]
    assert index.equals(pd.date_range(last, periods=len(index) + 1, freq="h")[1:])
    assert abs(len(index) - hours) <= 1
    assert len(model.predict(24 * 50)) == 24 * 50
    assert model.predict_mean(index).groupby(index.hour).mean()[12] > 20


def test_the_horizon_and_the_index_may_be_of_any_kind() -> None:
    series = _hours("2024-01-01", 20)
    model = VolumeForecaster().fit(series)
    three = model.predict(72).index
    for horizon in (timedelta(days=3), np.timedelta64(3, "D"), pd.offsets.Day(3), "72h"):
        assert model.predict(horizon).index.equals(three)
    with pytest.raises(ValueError, match="horizon is -3"):
        model.predict(-3)
    texts = series.set_axis(series.index.astype(str))
    assert VolumeForecaster().fit(texts).predict(72).equals(model.predict(72))
    days = pd.Series(range(1, 41), index=[date(2024, 1, 1) + timedelta(days=i) for i in range(40)])
    assert VolumeForecaster().fit(days).predict(2).index[0] == pd.Timestamp("2024-02-10")
    with pytest.raises(TypeError, match="index"):
        VolumeForecaster().fit(pd.Series([1, 2], index=["a", "b"]))
