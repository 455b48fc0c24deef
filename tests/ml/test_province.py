"""A simulated province whose causes are known (docs/simulator.md): no feature sees the future, the models find what was
planted and nothing elsewhere, scores and forecasts are published.

One file, so that the province is simulated and built once.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score
from streamlit.testing.v1 import AppTest

from core.database import make_engine, session_scope
from core.errors import BadInputError
from core.scope import PROVINCE, Scope
from core.settings import Settings, get_settings
from crm_api.campaigns.capacity import free_calls
from crm_api.reference.service import load_reference
from crm_api.scores import service as scores
from crm_api.store import migrate
from ml import registry
from ml.capacity import outbound
from ml.customers import churn, segmentation
from ml.customers.churn import Plan, plan
from ml.customers.scores import feature_words
from ml.features import Span, build_features, connect, feature_columns, read_features, span
from ml.forecasting.run import forecast, staff
from ml.models import PropensityClassifier, UpliftClassifier
from ml.scoring import ScoringResult, score
from ml.training import Outcome, train
from simulator.province import Wish
from simulator.run import simulate
from warehouse.build import build
from warehouse.publication import current
from warehouse.reader import Reader, open_reader


@dataclass(frozen=True)
class Province:
    """Where it lies, what it covers, and the dates that the leaving model uses."""

    settings: Settings
    span: Span
    plan: Plan


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """320 days; 9,000 customers, 30,000 in the long form."""
    settings = Settings(home=tmp_path_factory.mktemp("province") / "home")
    customers = 30_000 if os.environ.get("CRM_TEST_FULL") else 9_000
    engine = make_engine(settings)
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
    engine.dispose()
    simulate(Wish(customers=customers, days=320, seed=11, until=date(2026, 9, 30)), target="lake", settings=settings)
    build(settings)
    covered = span(settings)
    planned = plan(covered)
    build_features(settings, [covered.next_day, *planned.dates])
    yield Province(settings, covered, planned)


DOCUMENTED = Path(__file__).parents[2] / "dbt" / "models" / "features" / "_features__models.yml"
#: What happens to the rows from a moment on: other figures, other customers, gone.
FUTURE = (
    "update marts.fct_contact set wait_seconds = 9999, is_abandoned = true where started_at >= $at",
    "delete from marts.fct_contact where started_at >= $at and contact_key % 3 = 0",
    "update marts.fct_ticket set resolved_at = null, closed_at = null where resolved_at >= $at",
    "update marts.fct_ticket set reopen_count = 9, state = 'cancelled'",
    "delete from marts.fct_ticket where created_at >= $at",
    "update marts.fct_survey_answer set score = 1 where answered_at >= $at",
)


@pytest.fixture
def copied(province: Province, tmp_path: Path) -> Settings:
    """The province's warehouse to be spoilt, over the same lake."""
    home = tmp_path / "home"
    shutil.copytree(province.settings.warehouse_file.parent, home / "warehouse")
    (home / "lake").symlink_to(province.settings.lake)
    return Settings(home=home)


def _spoil(settings: Settings, statements: tuple[str, ...], moment: str) -> None:
    with duckdb.connect(str(settings.warehouse_file)) as connection:
        for statement in statements:
            values = {"at": moment} if "$at" in statement else {}
            connection.execute(statement.replace("$at", "cast($at as timestamptz)"), values)


def test_changing_the_future_changes_no_feature(province: Province, copied: Settings) -> None:
    day = province.plan.judge
    before = read_features(province.settings, day)
    _spoil(copied, FUTURE, f"{day.isoformat()} 00:00:00+08")
    build_features(copied, [day])
    pd.testing.assert_frame_equal(read_features(copied, day), before)


def test_changing_the_past_does(province: Province, copied: Settings) -> None:
    day = province.plan.judge
    before = read_features(province.settings, day)
    _spoil(copied, FUTURE[:1], "2026-01-01 00:00:00+08")
    build_features(copied, [day])
    after = read_features(copied, day)
    assert not after["abandoned_90d"].equals(before["abandoned_90d"])


def test_who_leaves_later_is_still_there_and_who_comes_later_is_not(province: Province) -> None:
    frame = read_features(province.settings, province.plan.judge)
    with duckdb.connect(str(province.settings.warehouse_file), read_only=True) as connection:
        known = connection.execute("select customer_key, registered_date, left_date from marts.dim_customer").df()
    known = known.set_index("customer_key").loc[frame["customer_key"]]
    day = pd.Timestamp(province.plan.judge)
    assert (pd.to_datetime(known["registered_date"]) < day).all()
    assert (pd.to_datetime(known["left_date"]) >= day).sum() > 50


def test_every_feature_is_documented_and_has_words(province: Province) -> None:
    columns = set(feature_columns(read_features(province.settings, province.plan.judge, most_rows=10)))
    models = yaml.safe_load(DOCUMENTED.read_text(encoding="utf-8"))["models"]
    (table,) = [model for model in models if model["name"] == "customer_features"]
    documented = {column["name"] for column in table["columns"]}
    assert columns == documented - {"customer_key", "as_of"} == set(feature_words())


#: AUC by which the leaving model beats tenure on customers of a later time, at least.
MARGIN = 0.05


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


@pytest.fixture(scope="module")
def trained(province: Province) -> dict[str, Outcome]:
    """Every model that the lake's marts suffice for, trained."""
    wanted = ["churn", "offers", "segment", "key_customer", "volume"]
    return {each.model: each for each in train(province.settings, wanted, tell=lambda _: None)}


@pytest.fixture(scope="module")
def scored(province: Province, trained: dict[str, Outcome]) -> ScoringResult:
    """The province scored and published."""
    assert all(trained[model].is_champion for model in ("churn", "segment", "key_customer"))
    return score(province.settings, tell=lambda _: None)


def test_the_leaving_model_beats_tenure_on_a_later_time(trained: dict[str, Outcome]) -> None:
    told = trained["churn"].metrics
    assert told["gain"] > MARGIN
    assert told["gain_low"] > 0
    assert told["lift_10"] > 1.5
    assert abs(told["mean_probability"] - told["rate"]) < 0.5 * told["rate"]


def test_the_key_customers_bring_as_much_margin_as_those_of_the_highest_revenue(
    province: Province, trained: dict[str, Outcome]
) -> None:
    told = trained["key_customer"].metrics
    assert 0.99 * told["margin_share_revenue"] < told["margin_share_score"] <= told["margin_share_best"]
    for language, words in (("zh-CN", "相当"), ("en", "as well as last year's revenue")):
        assert words in registry.card(province.settings, "key_customer", trained["key_customer"].version, language)


def test_an_offer_model_is_used_only_if_it_beats_the_peers(
    province: Province, trained: dict[str, Outcome], scored: ScoringResult
) -> None:
    for product in ("broadband", "digital_tv"):
        told = trained[f"offer_{product}"].metrics
        assert (told["used"] == "propensity") == (told["gain"] >= 0.005 and told["gain_low"] > 0)
    holders = _reader(province.settings).rows(
        "select count(*) as n from fct_customer_score as score inner join dim_customer as customer"
        " on score.customer_key = customer.customer_key where score.model = 'offer_broadband' and has_broadband"
    )
    assert holders["n"].iloc[0] <= 0.01 * scored.scores["offer_broadband"]


def test_the_forecast_beats_the_median_of_weeks_and_its_interval_covers(trained: dict[str, Outcome]) -> None:
    told = trained["volume"].metrics
    assert told["wape"] < told["baseline_wape"]
    assert 0.70 <= told["coverage_80"] <= 0.90
    assert {row["days_ahead"] for row in told["errors"]} == {"1-7", "8-21", "22-35"}


def _reader(settings: Settings, scope: Scope = PROVINCE) -> Reader:
    return open_reader(current(settings), scope)


def test_every_score_has_version_day_and_reasons_in_words(province: Province, scored: ScoringResult) -> None:
    rows = _reader(province.settings).rows(
        "select model, count(*) as n, count(*) filter (where reasons = '' or reasons is null) as without,"
        " count(distinct version) as versions, min(as_of) as as_of from fct_customer_score group by model"
    )
    assert dict(zip(rows["model"], rows["n"], strict=True)) == scored.scores
    assert (rows["versions"] == 1).all()
    assert {str(day)[:10] for day in rows["as_of"]} == {scored.as_of}
    assert rows["without"].sum() <= 0.01 * rows["n"].sum()
    engine = make_engine(province.settings)
    with session_scope(engine) as session:
        found = {each.model: each for each in scores.of(session, _somebody(province))}
    engine.dispose()
    assert found["churn"].name.zh == "流失风险"
    assert found["churn"].reasons
    assert "{" not in found["churn"].reasons[0].en
    assert found["segment"].label_words.zh


def _somebody(province: Province) -> int:
    rows = _reader(province.settings).rows(
        "select min(customer_key) as k from fct_customer_score where model = 'churn'"
    )
    return int(rows["k"].iloc[0])


def test_scoring_again_gives_the_same_scores(province: Province, scored: ScoringResult) -> None:
    query = "select * from fct_customer_score order by model, customer_key"
    before = _reader(province.settings).rows(query)
    again = score(province.settings, to_store=False, tell=lambda _: None)
    assert again.scores == scored.scores
    assert _reader(province.settings).rows(query).equals(before)


def test_a_city_sees_its_own_scores_and_the_parts_fit_together(province: Province, scored: ScoringResult) -> None:
    city = _reader(province.settings, Scope("baoji"))
    assert set(city.rows("select distinct city_code from fct_customer_score")["city_code"]) == {"baoji"}
    whole = _reader(province.settings)
    moved = whole.rows("select sum(customers) as n from fct_segment_migration where to_segment >= 0")["n"].iloc[0]
    assert moved == scored.scores["segment"]
    cells = "from_segment, to_segment, city_code"
    newest = "where to_as_of = (select max(to_as_of) from fct_segment_migration)"
    counted = whole.rows(f"select {cells}, customers from fct_segment_migration {newest} order by all")
    people = whole.rows(f"select {cells}, count(*) as customers from fct_segment_move group by all order by all")
    assert len(people)
    assert people.equals(counted), "the customers behind a move are as many as it says"
    kept = whole.rows("select min(percentile) as p, count(*) as n, bool_and(remedy <> '') as r from fct_retention")
    assert kept["p"].iloc[0] >= 80
    assert kept["r"].iloc[0]
    offered = whole.rows("select count(*) as n, min(expected_margin_yuan) as least from fct_next_offer")
    assert offered["n"].iloc[0] > 0
    assert offered["least"].iloc[0] > 0
    assert len(whole.rows("select * from fct_key_change")) == scored.key_changes


@pytest.fixture(scope="module")
def foretold(province: Province, scored: ScoringResult) -> dict[str, object]:
    """Five weeks forecast, staffed and published."""
    assert scored.run_id
    return forecast(province.settings, tell=lambda _: None)


def test_a_forecast_is_staffed_and_leaves_time_for_outbound_calls(
    province: Province, scored: ScoringResult, foretold: dict[str, object]
) -> None:
    assert foretold["first"] == scored.as_of
    days = staff(province.settings)
    assert len(days) == 35
    busier = staff(province.settings, volume=1.5)
    assert sum(day["agent_hours"] for day in busier) > sum(day["agent_hours"] for day in days)
    free = outbound(province.settings)
    assert len(free) == 35
    assert all(day.calls <= day.agent_seconds / 240 for day in free)
    # Lists are built within it: the less, the more people call in.
    assert sum(day.calls for day in free) == foretold["outbound_calls"]
    engine = make_engine(province.settings)
    with session_scope(engine) as session:
        told = free_calls(session, free[0].day, free[-1].day, campaign_id=0)
    engine.dispose()
    assert told == {day.day: day.calls for day in free}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("page", ["customer_patterns", "staffing", "models"])
def test_the_pages_show_it(
    province: Province, foretold: dict[str, object], page: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert foretold["run_id"]
    monkeypatch.setenv("CRM_HOME", str(province.settings.home))
    monkeypatch.setenv("CRM_DASHBOARD_SCOPE", "province")
    get_settings.cache_clear()
    app = AppTest.from_file(str(Path(__file__).parents[2] / "dashboards" / "app.py"), default_timeout=120)
    app.query_params["lang"] = language
    app.run()
    app.switch_page(f"views/{page}.py").run()
    assert not app.exception, app.exception[0].stack_trace
    assert len(app.dataframe) >= (0 if page == "models" else 2)
    if page == "staffing":
        before = app.metric[1].value
        app.slider(key="staffing_volume").set_value(150).run()
        assert app.metric[1].value != before
    get_settings.cache_clear()


def test_a_promotion_needs_a_reason_and_is_kept(province: Province, scored: ScoringResult) -> None:
    assert scored.scores
    (entry,) = registry.versions(province.settings, "churn")
    first = registry.require_champion(province.settings, "churn")
    assert (first.reason, first.reason_en) == ("首个优于基线的版本", "First version that beats its baseline")
    with pytest.raises(BadInputError):
        registry.promote(province.settings, "churn", entry.version, by="chen", reason=" ")
    worse = replace(entry, version="20000101T000000000", beats_baseline=False)
    registry.save(province.settings, worse, registry.load(province.settings, "churn"), {"zh-CN": "", "en": ""})
    made = registry.promote(province.settings, "churn", worse.version, by="chen", reason="试用")
    assert registry.champion(province.settings, "churn") == made
    registry.promote(province.settings, "churn", entry.version, by="chen", reason="试用结束")
    told = (registry.folder(province.settings, "churn") / "promotions.jsonl").read_text(encoding="utf-8")
    assert len(told.splitlines()) == 3
    for language, word in (("zh-CN", "在网时长"), ("en", "tenure")):
        assert word in registry.card(province.settings, "churn", entry.version, language)
