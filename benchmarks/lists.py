"""How fast a call list of 3 offers × 11 branches is built from a whole store: gates, choice, entries."""

import resource
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pyarrow as pa
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.database import make_engine, session_scope
from core.settings import Settings
from crm_api.campaigns import building, reading, service
from crm_api.campaigns.candidates import gather
from crm_api.customers.models import Customer
from crm_api.organisation.models import OrgUnit
from crm_api.reference.service import load_reference
from crm_api.scores.service import replace
from crm_api.store import migrate
from ml.lists import solve
from simulator.province import Wish
from simulator.run import simulate

Row = dict[str, object]

CUSTOMERS = {"small": 100_000, "province": 2_600_000}
_OFFERS = ("broadband_100", "digital_tv_upgrade", "loyalty_credit")
_DAYS = 10
_ACTOR = Actor(username="bench", role="marketing", unit_id=1, unit_kind="province")
_BATCH = 200_000


def run(size: str) -> list[Row]:
    """Rows of name, value, unit, aim, note; `size` is small (0.1 M customers) or province (2.6 M), on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        engine = _store(settings, CUSTOMERS[size])
        with session_scope(engine) as session:
            rows = _measure(session, CUSTOMERS[size])
        engine.dispose()
    return rows


def _store(settings: Settings, customers: int) -> Engine:
    engine = make_engine(settings)
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
    simulate(Wish(customers=customers, days=1, seed=1, until=date(2026, 3, 1)), settings=settings)
    with engine.begin() as connection:
        last = connection.scalar(select(func.max(Customer.id))) or 0
        for seed, offer in enumerate(_OFFERS):
            replace(connection, f"offer_{offer}", _scores(last, offer, seed), {})
    return engine


def _scores(customers: int, offer: str, seed: int) -> Iterator[pa.Table]:
    rng = np.random.default_rng(seed)
    for first in range(1, customers + 1, _BATCH):
        ids = np.arange(first, min(first + _BATCH, customers + 1))
        score = rng.beta(1, 19, len(ids))
        same = {"label": "medium", "version": "bench", "reasons": ""}
        columns = {
            "customer_id": pa.array(ids),
            "score": pa.array(score),
            "percentile": pa.array((score * 100).astype(np.int64)),
            "as_of": pa.array([date(2026, 3, 1)] * len(ids)),
            **{name: pa.array([value] * len(ids)) for name, value in same.items()},
        }
        yield pa.table(columns)


def _measure(session: Session, customers: int) -> list[Row]:
    at = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    units = session.scalars(select(OrgUnit.id).where(OrgUnit.kind == "city"))
    campaign = service.create(
        session,
        actor=_ACTOR,
        code="bench",
        values={
            "name": "bench",
            "purpose": "marketing",
            "goal": "subscribe",
            "starts_on": at.date(),
            "ends_on": at.date() + timedelta(days=_DAYS - 1),
        },
        offers=[service.OfferPlan(offer, score_model=f"offer_{offer}", capacity=customers // 250) for offer in _OFFERS],
        calls_per_day=dict.fromkeys(units, max(1, customers // 26_000)),
        now=at,
    )
    build = service.request_build(session, campaign.id, actor=_ACTOR, now=at)
    began = perf_counter()
    gather(session, reading.plan_of(session, campaign), now=at)
    gates = perf_counter() - began
    began, busy = perf_counter(), process_time()
    building.carry_out(session, build, solve, now=at)
    whole, busy = perf_counter() - began, process_time() - busy
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    shape = f"{customers:,} customers, {len(_OFFERS)} offers × 11 branches"
    listed = f"{build.listed:,} listed, {build.held_out:,} held out, {build.solver}, gap {build.gap:.2g}"
    return [
        {"name": "gates of all candidates", "value": gates, "unit": "s", "aim": "", "note": shape},
        {"name": "list built", "value": whole, "unit": "s", "aim": "< 15", "note": f"gates, choice, entries; {listed}"},
        {"name": "  of that, this process's own", "value": busy, "unit": "s", "aim": "", "note": "processor seconds"},
        {"name": "peak memory", "value": memory, "unit": "GB", "aim": "< 6.4", "note": "with making the store"},
    ]
