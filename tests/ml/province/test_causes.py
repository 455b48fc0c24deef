"""The models find what was planted in the simulated province (docs/simulator.md), and nothing where nothing was."""

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from ml.customers import churn, offers, segmentation
from ml.features import connect, feature_columns, read_features
from ml.forecasting.volume import ALL_QUEUES, judged, series
from ml.models import PropensityClassifier, UpliftClassifier
from tests.ml.province.conftest import Province

#: AUC by which the leaving model beats tenure on customers of a later time, at least.
MARGIN = 0.05


def test_the_leaving_model_beats_tenure_on_a_later_time(province: Province) -> None:
    _, told, _ = churn.learn(province.settings, province.plan)
    assert told["gain"] > MARGIN
    assert told["gain_low"] > 0
    assert told["lift_10"] > 1.5
    assert abs(told["mean_probability"] - told["rate"]) < 0.5 * told["rate"]


def test_permuted_labels_give_chance(province: Province) -> None:
    frame, left = churn.labelled(province.settings, province.plan.learn[0], province.plan)
    judged_frame, outcome = churn.labelled(province.settings, province.plan.judge, province.plan)
    columns = feature_columns(frame)
    shuffled = np.random.default_rng(5).permutation(left)
    model = PropensityClassifier().fit(frame[columns], shuffled)
    auc = roc_auc_score(outcome, model.predict_proba(judged_frame[columns])[:, 1])
    assert abs(auc - 0.5) < 0.1


def _trial(province: Province, effect: np.ndarray) -> UpliftClassifier:
    """A trial by lot on the province's customers whose true effect is `effect`."""
    frame = read_features(province.settings, province.plan.judge)
    rng = np.random.default_rng(3)
    treated = rng.random(len(frame)) < 0.5
    answers = rng.random(len(frame)) < 0.10 + effect * treated
    columns = ["age_years", "tenure_days", "contacts_365d", "complaints_365d", "monthly_fee_yuan", "has_broadband"]
    return UpliftClassifier().fit(frame[columns], answers, treated)


def test_uplift_is_found_where_it_was_planted_and_denied_elsewhere(province: Province) -> None:
    frame = read_features(province.settings, province.plan.judge)
    planted = np.where(frame["has_broadband"], 0.0, 0.20)
    assert _trial(province, planted).shows_evidence_
    assert not _trial(province, np.full(len(frame), 0.05)).shows_evidence_


def test_segments_recover_products_and_the_trait_of_calling_often(province: Province) -> None:
    frame = read_features(province.settings, province.plan.judge)
    model = segmentation.learn(frame)
    assert model.certificate_.is_stable
    label = model.labels_
    products = frame["products"].to_numpy()
    single = pd.Series(products == 1).groupby(label).mean()
    assert single.max() > 0.9
    assert single.min() < 0.4
    # Who calls often is a trait of the customer: its segment goes on calling afterwards.
    later = _contacts_after(province, frame["customer_key"])
    rate = pd.Series(later).groupby(label).mean()
    assert rate.max() > 1.4 * rate.min()
    names = [each.name_zh for each in segmentation.describe(model)]
    assert len(set(names)) == len(names)


def _contacts_after(province: Province, keys: pd.Series) -> np.ndarray:
    with connect(province.settings) as connection:
        found = connection.execute(
            "select customer_key, count(*) as contacts from marts.fct_contact where date_key >= $day group by 1",
            {"day": int(province.plan.judge.strftime("%Y%m%d"))},
        ).df()
    counts: np.ndarray = found.set_index("customer_key")["contacts"].reindex(keys).fillna(0).to_numpy(np.float64)
    return counts


def test_an_offer_model_is_used_only_if_it_beats_the_peers(province: Province) -> None:
    frame = read_features(province.settings, province.span.next_day)
    for product in ("broadband", "digital_tv"):
        model, told, _ = offers.learn(frame, product)
        assert (told["used"] == "propensity") == (told["gain"] >= 0.005 and told["gain_low"] > 0)
        scored = offers.score(model, frame, product, version="1", as_of=province.span.next_day, said={})
        has = set(frame.loc[frame[f"has_{product}"].astype(bool), "customer_key"])
        assert not has & set(scored.table.column("customer_id").to_pylist())
        assert scored.table.column("reasons").null_count == 0


def test_the_forecast_beats_the_median_of_weeks_and_its_interval_covers(province: Province) -> None:
    calls, _ = series(province.settings)
    rows = judged(ALL_QUEUES, calls[ALL_QUEUES])
    weight = [row["calls"] for row in rows]
    assert np.average([row["wape"] for row in rows], weights=weight) < np.average(
        [row["baseline_wape"] for row in rows], weights=weight
    )
    assert 0.70 <= np.average([row["coverage_80"] for row in rows], weights=weight) <= 0.90
