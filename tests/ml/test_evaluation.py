"""Measures: each against a case worked by hand, and against order, ties and gaps."""

import numpy as np
import pandas as pd
import pytest

from ml.evaluation import (
    Bins,
    TimeGapSplit,
    best_column_rule,
    calibration_error,
    coverage,
    lift_at,
    mase,
    psi,
    qini,
    qini_curve,
    qini_gain,
    time_gap_split,
    wape,
)


def test_the_split_leaves_the_gap_out() -> None:
    days = pd.date_range("2025-01-01", periods=100, freq="D")
    order = np.random.default_rng(0).permutation(100)
    train, test = time_gap_split(days[order], "2025-03-01", "14D")
    assert days[order][train].max() < pd.Timestamp("2025-02-15")
    assert days[order][test].min() == pd.Timestamp("2025-03-01")
    assert len(train) + len(test) == 100 - 14
    with pytest.raises(ValueError, match="leaves 0 training"):
        time_gap_split(days, "2025-01-01")
    with pytest.raises(ValueError, match="negative"):
        time_gap_split(days, "2025-02-01", "-1D")


def test_stretches_of_time_never_look_ahead() -> None:
    moments = pd.Series(pd.date_range("2025-01-01", periods=300, freq="8h")).sample(frac=1, random_state=1)
    splitter = TimeGapSplit(moments, n_splits=3, gap="5D")
    splits = list(splitter.split())
    assert len(splits) == splitter.get_n_splits() == 3
    values = moments.to_numpy()
    for train, test in splits:
        assert values[train].max() < values[test].min() - np.timedelta64(5, "D")
    assert len(np.unique(np.concatenate([test for _, test in splits]))) == sum(len(test) for _, test in splits)


def test_lift_by_hand_and_with_ties() -> None:
    y = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert lift_at(y, [9, 1, 8, 7, 6, 5, 4, 3, 2, 0], 0.1) == 5
    assert lift_at(y, range(10), 0.2) == 0
    assert lift_at(y, [1] * 10, 0.3) == pytest.approx(1)
    assert lift_at(y[::-1], [1] * 10, 0.3) == pytest.approx(1)
    assert np.isnan(lift_at([0, 0], [1, 2]))


def test_calibration_error_by_hand() -> None:
    assert calibration_error([1, 0, 1, 0], [0.5, 0.5, 0.5, 0.5]) == 0
    assert calibration_error([1, 1, 1, 1], [0.8, 0.8, 0.8, 0.8]) == pytest.approx(0.2)
    assert calibration_error([0, 0, 1, 1], [0.1, 0.1, 0.7, 0.7], bins=2) == pytest.approx(0.2)


def test_qini_by_hand() -> None:
    curve = qini_curve([1, 0, 0, 1], [1, 0, 1, 0], [4, 3, 2, 1])
    assert curve["n"].tolist() == [0, 1, 2, 3, 4]
    assert curve["gain"].tolist() == [0, 1, 1, 1, 0]
    # Without the random line (it ends at 0): trapezoids ½ + 1 + 1 + ½, over 4².
    assert qini([1, 0, 0, 1], [1, 0, 1, 0], [4, 3, 2, 1], draws=10).value == pytest.approx(3 / 16)


def test_equal_scores_are_random_whatever_their_order() -> None:
    rng = np.random.default_rng(0)
    y, t = rng.random(500) < 0.3, rng.random(500) < 0.5
    assert qini(y, t, np.ones(500), draws=20).value == pytest.approx(0, abs=1e-12)
    score = rng.integers(0, 3, 500)
    shuffled = rng.permutation(500)
    assert qini(y, t, score, draws=5).value == pytest.approx(
        qini(y[shuffled], t[shuffled], score[shuffled], draws=5).value
    )


def test_the_interval_holds_zero_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for trial in range(60):
        y, t, s = rng.random(400) < 0.3, rng.random(400) < 0.5, rng.random(400)
        got = qini(y, t, s, draws=150, random_state=trial)
        held += got.low <= 0 <= got.high
    assert held >= 51


def test_gain_and_the_best_column() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"noise": rng.random(4000), "line": rng.choice(["a", "b", "c"], 4000)})
    t = rng.random(4000) < 0.5
    y = rng.random(4000) < 0.1 + 0.3 * t * (table["line"] == "b")
    rule = best_column_rule(table, y, t)
    assert rule.column == "line"
    assert rule.effects["b"] > 0.2
    score = rule.scores(pd.DataFrame({"line": ["b", "a", "new"]}))
    assert score[0] > score[2] > score[1]
    assert qini_gain(y, t, rule.scores(table), table["noise"], draws=100).shows_evidence
    with pytest.raises(ValueError, match="one arm"):
        qini(y, np.ones(4000), score=table["noise"])


def test_forecast_measures_by_hand() -> None:
    assert wape([10, 20, 0], [12, 16, 1]) == pytest.approx(7 / 30)
    assert np.isnan(wape([0, 0], [1, 1]))
    assert mase([10, 12], [11, 14], [1, 3, 5, 7]) == pytest.approx(0.75)
    assert mase([10, 12], [11, 14], [1, 3, 2, 5], season=2) == pytest.approx(1)
    assert np.isnan(mase([1], [1], [3, 3, 3]))
    assert coverage([1, 2, 3, 4], [1, 0, 4, 0], [1, 1, 5, 4]) == 0.5
    with pytest.raises(ValueError, match="one forecast"):
        wape([1], [1, 2])


def test_drift_sees_missing_and_unseen_values() -> None:
    rng = np.random.default_rng(0)
    before = rng.normal(size=20_000)
    assert psi(before, rng.normal(size=20_000)) < 0.01
    assert psi(before, rng.normal(1, 1, 20_000)) > 0.25
    gone = np.where(rng.random(20_000) < 0.3, np.nan, before)
    assert psi(before, gone) > 0.25
    bins = Bins.of(pd.Series(["a", "b", None] * 100))
    assert bins.share(["a", "new", None, "b"]).tolist() == [0.25, 0.25, 0.25, 0.25]
    assert bins.psi(["new"] * 100) > 1
    assert Bins.of([True, False] * 50).psi([True, False] * 7) == pytest.approx(0)
    assert Bins.of([5.0] * 100).psi([5.0] * 10) == pytest.approx(0, abs=1e-6)
    # Two classes of 30 % and 70 % that become 50 % each: 0.2 × ln(5/3) + 0.2 × ln(7/5).
    assert psi(["x"] * 3 + ["y"] * 7, ["x", "y"]) == pytest.approx(0.2 * np.log(5 / 3) + 0.2 * np.log(7 / 5), abs=1e-9)
    assert np.isfinite(psi([None, None], [1, 2]))
