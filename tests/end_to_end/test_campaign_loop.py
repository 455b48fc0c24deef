"""The whole loop: a simulated province is learnt, scored and segmented; campaigns for a segment are built within the
capacity that the forecast leaves, worked, and held against their holdouts, up to the page.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest
from threadpoolctl import threadpool_limits

from cli.pipeline import run_pipeline
from core.actor import Actor
from core.database import make_engine, session_scope
from core.settings import Settings, get_settings
from core.time import LOCAL
from core.trial import Effect, effect
from crm_api.campaigns import building, service
from crm_api.campaigns.capacity import limit_calls
from crm_api.campaigns.models import CallAttempt, CallListEntry, Campaign
from crm_api.campaigns.settings import campaign_settings
from crm_api.contacts.models import Contact
from crm_api.customers.models import Consent, Customer
from crm_api.organisation.models import OrgUnit
from crm_api.reference.service import load_reference
from crm_api.scores.models import CustomerScore
from crm_api.store import migrate
from ingestion.load import ingest
from ml.features import build_features, read_features
from ml.lists import solve
from ml.scoring import score
from ml.training import train
from simulator.campaign_calls import CallLaw, Worked, simulate_calls
from simulator.province import Wish
from simulator.run import simulate
from tests.warehouse.quick import quick_build
from warehouse.lake_gate import inspect
from warehouse.publication import current
from warehouse.reader import PROVINCE, open_reader

FIRST = date(2026, 3, 3)
AT = datetime(2026, 3, 3, 7, 30, tzinfo=LOCAL)
DAYS = 7
#: Calls that are left free on the first day, and on the others.
SCARCE, AMPLE = 60, 3000
MARKETING = Actor(username="marketing", role="marketing", unit_id=1, unit_kind="province")
SUPERVISOR = Actor(username="supervisor", role="supervisor", unit_id=1, unit_kind="province")
MODEL = "offer_broadband"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An installation of its own for this file."""
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(limits=1):
        patch.setenv("CRM_HOME", str(tmp_path_factory.mktemp("loop") / "home"))
        patch.delenv("CRM_DATABASE_URL", raising=False)
        patch.setenv("CRM_DASHBOARD_SCOPE", "province")
        patch.setattr(campaign_settings(), "global_holdout_percent", 0)
        get_settings.cache_clear()
        yield get_settings()
    get_settings.cache_clear()


@pytest.fixture(scope="module")
def province(home: Settings) -> Iterator[Engine]:
    """Simulated, learnt and scored."""
    engine = make_engine(home)
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
    simulate(Wish(customers=6000, days=75, seed=5, until=FIRST - timedelta(days=1)), settings=home)
    _brought_to_the_marts(home)
    learnt = {each.model: each for each in train(home, ["offers", "segment"], tell=lambda _: None)}
    assert learnt["segment"].is_champion and learnt[MODEL].is_champion
    score(home, publish=False, tell=lambda _: None)
    yield engine
    engine.dispose()


def _brought_to_the_marts(home: Settings) -> None:
    """As the pipeline does, short of a publication that nobody here reads."""
    ingest(home)
    inspect(home)
    quick_build(home)


def _segments(session: Session) -> list[str]:
    """The segments' labels, the largest first."""
    counted = select(CustomerScore.label, func.count()).where(CustomerScore.model == "segment")
    return [row[0] for row in session.execute(counted.group_by(CustomerScore.label).order_by(func.count().desc()))]


def _campaign(session: Session, code: str, segments: list[str]) -> int:
    """A campaign for some segments and likely takers, built within the capacity, approved by another, running."""
    units = session.scalars(select(OrgUnit.id).where(OrgUnit.kind == "city"))
    made = service.create(
        session,
        actor=MARKETING,
        code=code,
        values={
            "name": code,
            "purpose": "marketing",
            "goal": "subscribe",
            "segments": " ".join(segments),
            "score_model": MODEL,
            "min_percentile": 10,
            "starts_on": FIRST,
            "ends_on": FIRST + timedelta(days=DAYS - 1),
            "holdout_percent": 40,
            "window_days": 10,
            "opens_second": 8 * 3600,
            "cap_contacts": 50,
            "includes_key_customers": True,
        },
        offers=[service.OfferPlan("broadband_100", score_model=MODEL)],
        calls_per_day=dict.fromkeys(units, 200),
        now=AT,
    )
    asked = service.request_build(session, made.id, actor=MARKETING, now=AT)
    assert building.carry_out(session, asked, solve, now=AT).listed
    for name, actor in (("review", MARKETING), ("approve", SUPERVISOR), ("start", MARKETING)):
        service.step(session, made.id, name, actor=actor, now=AT)
    return made.id


def _withdraw(session: Session, customers: list[int]) -> None:
    for customer in customers:
        session.add(
            Consent(customer_id=customer, channel="voice", purpose="marketing", granted=False, valid_from=FIRST)
        )


def _work(engine: Engine, campaign_id: int, law: CallLaw) -> Worked:
    worked = simulate_calls(engine, campaign_id, actor=SUPERVISOR, law=law, seed=3)
    with session_scope(engine) as session:
        service.step(session, campaign_id, "finish", actor=SUPERVISOR, now=AT + timedelta(days=DAYS))
        assert session.get_one(Campaign, campaign_id).state == "finished"
    return worked


def _effect(home: Settings, campaign_id: int) -> tuple[Effect, dict[str, int]]:
    """What the published marts show of a campaign: its effect, and calls and cost of those to be called."""
    arms = (
        open_reader(current(home), PROVINCE)
        .rows(
            "select arm, count(*) as n, count(*) filter (where is_converted) as won, sum(cost_fen) as cost,"
            " sum(attempts) as calls from fct_call_list_entry where campaign_key = $campaign group by arm",
            {"campaign": campaign_id},
        )
        .set_index("arm")
    )
    assert arms.loc["holdout", "calls"] == 0
    called, held = arms.loc["call"], arms.loc["holdout"]
    found = effect(int(called["won"]), int(called["n"]), int(held["won"]), int(held["n"]))
    return found, {"calls": int(called["calls"]), "cost": int(called["cost"])}


def test_the_effect_is_found_where_it_was_planted_and_denied_where_not(province: Engine, home: Settings) -> None:
    free = {FIRST + timedelta(days=day): AMPLE if day else SCARCE for day in range(DAYS)}
    with session_scope(province) as session:
        limit_calls(session, free, told_by="forecast")
        labels = _segments(session)
        planted = _campaign(session, "planted", labels[:1])
        idle = _campaign(session, "idle", labels[1:])
    with session_scope(province) as session:
        entries = select(CallListEntry.customer_id).where(CallListEntry.campaign_id == planted)
        scores = select(CustomerScore.label, CustomerScore.model).where(CustomerScore.customer_id.in_(entries))
        assert {row.label for row in session.execute(scores) if row.model == "segment"} == {labels[0]}
        due = select(func.count()).where(CallListEntry.planned_on == FIRST, CallListEntry.arm == "call")
        assert 0 < (session.scalar(due) or 0) <= SCARCE, "the first day holds what the forecast leaves free"
        withdrawn = list(session.scalars(entries.where(CallListEntry.arm == "call").limit(5)))
        _withdraw(session, withdrawn)
    worked = _work(province, planted, CallLaw(reached=0.6, by_itself=0.05, effect=0.4))
    _work(province, idle, CallLaw(reached=0.6, by_itself=0.05, effect=0.0))
    assert worked.attempts["accepted"] > 40
    with session_scope(province) as session:
        assert not session.scalars(select(CallAttempt).where(CallAttempt.customer_id.in_(withdrawn))).all()
        held = entries.where(CallListEntry.arm == "holdout")
        assert not session.scalars(select(CallAttempt).where(CallAttempt.customer_id.in_(held))).all()
    run_pipeline(home)
    found, told = _effect(home, planted)
    assert told == {"calls": sum(worked.attempts.values()), "cost": 300 * sum(worked.attempts.values())}
    # Three tries reach 1 − 0.4³ = 94 %, of whom 40 % accept; 5 % take the product by themselves either way.
    assert found.is_shown
    assert found.low <= 0.36 <= found.high
    assert 0.01 < found.rate_held < 0.10
    denied, _ = _effect(home, idle)
    assert not denied.is_likely
    assert min(denied.called, denied.held) > 100
    app = AppTest.from_file(str(Path(__file__).parents[2] / "dashboards" / "app.py"), default_timeout=120)
    app.query_params["lang"], app.query_params["campaign"] = "en", str(planted)
    app.run()
    app.switch_page("views/campaigns.py").run()
    assert not app.exception, app.exception[0].stack_trace
    assert app.success, "the page says that it worked"


def test_what_came_late_is_not_seen_by_an_as_of_before_it_was_known(province: Engine, home: Settings) -> None:
    day = FIRST
    build_features(home, [day])
    before = read_features(home, day)
    with session_scope(province) as session:
        somebody = session.scalars(select(CustomerScore.customer_id).limit(1)).one()
        session.get_one(Customer, somebody).key_level = "platinum"
        session.add(
            Contact(
                channel_code="letter",
                external_id="late-letter",
                customer_id=somebody,
                started_at=AT - timedelta(days=3),
                outcome="answered",
            )
        )
    _brought_to_the_marts(home)
    build_features(home, [day])
    assert read_features(home, day).equals(before)
