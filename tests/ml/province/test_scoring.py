"""From training to published scores: every score has its version, day and reasons, and a city sees its own."""

from dataclasses import replace

import pytest

from core.database import make_engine, session_scope
from core.errors import BadInputError
from core.scope import PROVINCE, Scope
from core.settings import Settings
from crm_api.scores import service as scores
from ml import registry
from ml.capacity import outbound
from ml.forecasting.run import forecast, staff
from ml.scoring import ScoringResult, score
from ml.training import train
from tests.ml.province.conftest import Province
from warehouse.publication import current
from warehouse.reader import Reader, open_reader


@pytest.fixture(scope="module")
def scored(province: Province) -> ScoringResult:
    """All models of customers trained, the province scored and published."""
    outcomes = train(province.settings, ["churn", "offers", "segment", "key_customer"], tell=lambda _: None)
    assert {each.model for each in outcomes if each.is_champion} >= {"churn", "segment", "key_customer"}
    return score(province.settings, tell=lambda _: None)


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
    kept = whole.rows("select min(percentile) as p, count(*) as n, bool_and(remedy <> '') as r from fct_retention")
    assert kept["p"].iloc[0] >= 80
    assert kept["r"].iloc[0]
    offered = whole.rows("select count(*) as n, min(expected_margin_yuan) as least from fct_next_offer")
    assert offered["n"].iloc[0] > 0
    assert offered["least"].iloc[0] > 0
    assert len(whole.rows("select * from fct_key_change")) == scored.key_changes


def test_a_forecast_is_staffed_and_leaves_time_for_outbound_calls(province: Province, scored: ScoringResult) -> None:
    (outcome,) = train(province.settings, ["volume"], tell=lambda _: None)
    assert outcome.metrics["coverage_80"] > 0.6
    if not outcome.is_champion:
        registry.promote(province.settings, "volume", outcome.version, by="test", reason="small centre")
    told = forecast(province.settings, tell=lambda _: None)
    assert told["first"] == scored.as_of
    days = staff(province.settings)
    assert len(days) == 35
    busier = staff(province.settings, volume=1.5)
    assert sum(day["agent_hours"] for day in busier) > sum(day["agent_hours"] for day in days)
    free = outbound(province.settings)
    assert len(free) == 35
    assert all(day.calls <= day.agent_seconds / 240 for day in free)


def test_a_promotion_needs_a_reason_and_is_kept(province: Province, scored: ScoringResult) -> None:
    assert scored.scores
    (entry,) = registry.versions(province.settings, "churn")
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
