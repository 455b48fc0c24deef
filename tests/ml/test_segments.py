"""Segments: planted patterns recovered, stable ones certified, numbers kept from quarter to quarter."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import check_estimator

from ml.models import Segmenter
from tests.ml.conftest import odd_table


def planted(rows: int, seed: int = 0, shares: tuple[float, ...] = (0.5, 0.3, 0.2)) -> tuple[pd.DataFrame, np.ndarray]:
    """Three patterns of use: television at night, heavy broadband, hardly anything."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, rows, p=shares)
    means = np.array([[200.0, 5.0, 60.0], [20.0, 400.0, 120.0], [5.0, 3.0, 20.0]])[kind]
    table = pd.DataFrame(rng.lognormal(np.log(means), 0.35), columns=["television", "broadband", "fee"])
    table["line"] = np.where(kind == 1, "fibre", rng.choice(["fibre", "copper"], rows))
    return table, kind


def test_cdnow_in_four_segments_is_stable(public: Path) -> None:
    customers = pd.read_csv(public / "cdnow_summary.csv")
    rfm = pd.DataFrame(
        {"recency": customers["T"] - customers["t_x"], "frequency": customers["x"], "value": customers["zbar"]}
    )
    model = Segmenter(n_clusters=4).fit(rfm)
    print(model.certificate_, model.sizes_, model.tree_.fidelity)
    assert model.certificate_.rand > 0.97
    assert model.certificate_.verdicts == ("valid",) * 4
    assert model.tree_.fidelity > 0.9
    assert len(Segmenter().fit(rfm).segments_) == 4


def test_planted_patterns_are_recovered_named_and_retold() -> None:
    table, kind = planted(1500)
    model = Segmenter().fit(table)
    assert len(model.segments_) == 3
    assert adjusted_rand_score(kind, model.labels_) > 0.95
    assert model.certificate_.is_stable
    assert model.tree_.fidelity > 0.95
    heavy = model.portraits_[int(pd.Series(model.labels_)[kind == 1].mode()[0])]
    assert (heavy.deviations[0].column, heavy.deviations[0].direction) == ("broadband", "high")
    assert heavy.deviations[0].here > 300 > heavy.deviations[0].overall
    assert "fibre" in [d.level for d in heavy.deviations]
    assert all(1 <= len(rule.conditions) <= 3 for rule in model.tree_.rules)


def test_the_model_is_frozen_and_new_rows_are_placed() -> None:
    table, _ = planted(600)
    model = Segmenter(n_clusters=3).fit(table)
    assert np.array_equal(model.predict(table), model.labels_)
    new, kind = planted(200, seed=4)
    assert adjusted_rand_score(kind, model.predict(new)) > 0.95
    assert np.array_equal(model.predict(new.iloc[[7]]), model.predict(new)[[7]])
    assert model.predict(table.iloc[:0]).shape == (0,)


def test_a_refit_keeps_the_numbers_of_what_stayed() -> None:
    table, _ = planted(900)
    model = Segmenter(n_clusters=3).fit(table)
    later, kind = planted(900, seed=8, shares=(0.1, 0.3, 0.6))
    again = model.refit(later)
    assert (again.predict(later) == model.predict(later)).mean() > 0.97
    assert [p.segment for p in again.portraits_] == list(again.segments_)
    assert np.allclose(again.sizes_, np.bincount(again.labels_) / 900)
    more = Segmenter(n_clusters=2).fit(table).refit(later)
    assert set(more.segments_) == {0, 1}
    third = Segmenter(n_clusters=2).fit(table)
    third.n_clusters = 3
    grown = third.refit(later)
    assert sorted(grown.segments_) == [0, 1, 2]
    assert adjusted_rand_score(kind, grown.labels_) > 0.95


def test_segments_that_noise_made_are_not_certified() -> None:
    noise = np.random.default_rng(0).normal(size=(400, 6))
    certificate = Segmenter(n_clusters=6).fit(noise).certificate_
    assert not certificate.is_stable
    assert "not shown" in certificate.verdicts


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_odd_tables_and_few_rows_are_survived() -> None:
    table = odd_table(120)
    model = Segmenter(n_clusters=3).fit(table)
    assert model.predict(odd_table(30, seed=5)).shape == (30,)
    assert Segmenter().fit(table.iloc[:5]).labels_.shape == (5,)
    ties = pd.DataFrame({"a": [0, 0, 0, 0, 0, 1, 1, 1, 1, 9] * 8})
    assert adjusted_rand_score(ties["a"], Segmenter(n_clusters=3).fit(ties).labels_) == 1
    assert len(Segmenter(n_clusters=5).fit(ties).segments_) <= 5
    words = pd.DataFrame({"a": ["x", "y"] * 40, "b": ["u", "u", "w", "w"] * 20})
    assert len(set(Segmenter(n_clusters=4).fit(words).labels_)) == 4
    with pytest.raises(ValueError, match="nothing to tell"):
        Segmenter().fit(pd.DataFrame({"a": [1, 1, 1]}))
    with pytest.raises(ValueError, match="n_clusters=9"):
        Segmenter(n_clusters=9).fit(pd.DataFrame({"a": [1, 2, 3]}))


def test_scikit_learn_accepts_it() -> None:
    failed = [r["check_name"] for r in check_estimator(Segmenter(), on_fail=None) if r["status"] == "failed"]
    assert failed == []


def test_repeats_exactly_and_survives_the_registry_file() -> None:
    table, _ = planted(300)
    model = Segmenter().fit(table)
    assert np.array_equal(clone(model).fit(table).labels_, model.labels_)
    blob = skops.io.dumps(model)
    loaded = skops.io.loads(blob, trusted=skops.io.get_untrusted_types(data=blob))
    assert np.array_equal(model.predict(table), loaded.predict(table))
    assert loaded.portraits_ == model.portraits_
