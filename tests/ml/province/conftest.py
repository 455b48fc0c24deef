"""A simulated province whose causes are known: in the lake, built, with features at the models' dates."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest

from core.database import make_engine, session_scope
from core.settings import Settings
from crm_api.reference.service import load_reference
from crm_api.store import migrate
from ml.customers.churn import Plan, plan
from ml.features import Span, build_features, span
from simulator.province import Wish
from simulator.run import simulate
from warehouse.build import build


@dataclass(frozen=True)
class Province:
    """Where it lies, what it covers, and the dates that the leaving model uses."""

    settings: Settings
    span: Span
    plan: Plan


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """320 days; 14,000 customers, 30,000 in the long form."""
    settings = Settings(home=tmp_path_factory.mktemp("province") / "home")
    customers = 30_000 if os.environ.get("CRM_TEST_FULL") else 14_000
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
