"""The whole loop: simulated province, campaign, list, calls, outcomes, marts, and what the page's answers say."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from cli.pipeline import run_pipeline
from core.actor import Actor
from core.database import make_engine, session_scope
from core.settings import Settings
from core.time import LOCAL
from core.trial import effect
from crm_api.campaigns import building, service
from crm_api.campaigns.models import CallAttempt, CallListEntry, Campaign
from crm_api.campaigns.settings import campaign_settings
from crm_api.customers.models import Consent
from crm_api.organisation.models import OrgUnit
from crm_api.reference.service import load_reference
from crm_api.store import migrate
from ml.lists import solve
from simulator.campaign_calls import CallLaw, simulate_calls
from simulator.province import Wish
from simulator.run import simulate
from warehouse.publication import current
from warehouse.reader import PROVINCE, open_reader

FIRST = date(2026, 3, 3)
AT = datetime(2026, 3, 3, 7, 30, tzinfo=LOCAL)
MARKETING = Actor(username="marketing", role="marketing", unit_id=1, unit_kind="province")
SUPERVISOR = Actor(username="supervisor", role="supervisor", unit_id=1, unit_kind="province")


def _campaign(session: Session, code: str, kind: str) -> int:
    units = session.scalars(select(OrgUnit.id).where(OrgUnit.kind == "city"))
    made = service.create(
        session,
        actor=MARKETING,
        code=code,
        values={
            "name": code,
            "purpose": "marketing",
            "goal": "subscribe",
            "audience_kind": kind,
            "starts_on": FIRST,
            "ends_on": FIRST + timedelta(days=6),
            "holdout_percent": 40,
            "window_days": 10,
            "opens_second": 8 * 3600,
            "cap_contacts": 50,
            "includes_key_customers": True,
        },
        offers=[service.OfferPlan("broadband_100", assumed_rate=0.1)],
        calls_per_day=dict.fromkeys(units, 500),
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


@pytest.fixture
def province(home: Settings, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(campaign_settings(), "global_holdout_percent", 0)
    engine = make_engine(home)
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
    simulate(Wish(customers=3000, days=3, seed=5, until=FIRST - timedelta(days=1)), settings=home)
    return engine


def test_the_effect_of_a_campaign_is_found_where_it_was_planted(province: Engine, home: Settings) -> None:
    with session_scope(province) as session:
        planted = _campaign(session, "planted", "person")
    with session_scope(province) as session:
        entries = select(CallListEntry.customer_id).where(CallListEntry.campaign_id == planted)
        withdrawn = list(session.scalars(entries.where(CallListEntry.arm == "call").limit(5)))
        _withdraw(session, withdrawn)
    law = CallLaw(reached=0.6, by_itself=0.05, effect=0.4)
    worked = simulate_calls(province, planted, actor=SUPERVISOR, law=law, seed=3)
    assert worked.attempts["accepted"] > 40
    with session_scope(province) as session:
        assert not session.scalars(select(CallAttempt).where(CallAttempt.customer_id.in_(withdrawn))).all()
        held = entries.where(CallListEntry.arm == "holdout")
        assert not session.scalars(select(CallAttempt).where(CallAttempt.customer_id.in_(held))).all()
        service.step(session, planted, "finish", actor=SUPERVISOR, now=AT + timedelta(days=7))
        assert session.get_one(Campaign, planted).state == "finished"
    run_pipeline(home)
    arms = (
        open_reader(current(home), PROVINCE)
        .rows(
            "select arm, count(*) as n, count(*) filter (where is_converted) as won, sum(cost_fen) as cost,"
            " sum(attempts) as calls from fct_call_list_entry group by arm"
        )
        .set_index("arm")
    )
    assert arms.loc["holdout", "calls"] == 0
    assert arms.loc["call", "calls"] == sum(worked.attempts.values())
    assert arms.loc["call", "cost"] == arms.loc["call", "calls"] * 300
    found = effect(
        int(arms.loc["call", "won"]),
        int(arms.loc["call", "n"]),
        int(arms.loc["holdout", "won"]),
        int(arms.loc["holdout", "n"]),
    )
    # Three tries reach 1 − 0.4³ = 94 %, of whom 40 % accept; 5 % take the product by themselves either way.
    assert found.is_shown
    assert found.low <= 0.36 <= found.high
    assert 0.01 < found.rate_held < 0.10
