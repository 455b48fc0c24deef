"""How fast a call list of 3 offers × 11 branches is built from a whole store: gates, choice, entries."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pyarrow as pa
from sqlalchemy import func, select
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
#: Customers simulated; a larger store holds copies of them, made inside SQLite.
_SIMULATED = 100_000
_COPIED = ("accounts", "customer_phones", "subscriptions", "consents")


def run(size: str) -> list[Row]:
    """Rows of name, value, unit, aim, note; `size` is small (0.1 M customers) or province (2.6 M), on SQLite."""
    with _folder() as folder:
        settings = Settings(home=Path(folder) / "home")
        if not (settings.home / "filled").exists():
            _alone(settings, "fill", str(CUSTOMERS[size]))
        rows: list[Row] = json.loads(_alone(settings, "measure", str(CUSTOMERS[size])))
        return rows


def _folder() -> AbstractContextManager[str]:
    """With CRM_BENCH_KEEP=folder the store stays there, and another run begins with it."""
    kept = os.environ.get("CRM_BENCH_KEEP")
    return nullcontext(kept) if kept else tempfile.TemporaryDirectory()


def _alone(settings: Settings, *arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks.lists", *arguments]
    environment = os.environ | {"CRM_HOME": str(settings.home)}
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def fill(settings: Settings, customers: int) -> None:
    """A store of so many customers with three models' scores: some are simulated, the others are their copies."""
    engine = make_engine(settings)
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
    some = min(customers, _SIMULATED)
    simulate(Wish(customers=some, days=1, seed=1, until=date(2026, 3, 1)), settings=settings)
    with engine.begin() as connection:
        last = connection.scalar(select(func.max(Customer.id))) or 0
        for seed, offer in enumerate(_OFFERS):
            replace(connection, f"offer_{offer}", _scores(last, offer, seed), {})
    engine.dispose()
    if customers > some:
        copy_rows(settings.home / "store" / "crm.sqlite", round(customers / some))
    (settings.home / "filled").touch()


def copy_rows(store: Path, times: int) -> None:
    """Each customer so many times over, with their own keys, numbers and slightly other scores."""
    with sqlite3.connect(store) as connection:
        connection.executescript("pragma foreign_keys = off; pragma synchronous = off; pragma cache_size = -1000000")
        most = {
            table: connection.execute(f"select max(id) from {table}").fetchone()[0] for table in ("customers", *_COPIED)
        }
        for table in ("customers", *_COPIED, "customer_scores"):
            names = [str(row[1]) for row in connection.execute(f"pragma table_info({table})")]
            own = {"id": most.get(table), "customer_id": most["customers"], "account_id": most["accounts"],
                   "merged_into_id": most["customers"]}  # fmt: skip
            chosen = ", ".join(_copied(name, own.get(name)) for name in names)
            where = "customer_id" if table == "customer_scores" else "id"
            last = own[where]
            for copy in range(1, times):
                statement = (
                    f"insert into {table} ({', '.join(names)}) select {chosen} from {table} where {where} <= :last"
                )
                connection.execute(statement, {"copy": copy, "last": last})
        connection.commit()
        connection.execute("analyze")


def _copied(name: str, most: int | None) -> str:
    """What a copy holds in a column."""
    if most is not None:
        return f"{name} + :copy * {most}"
    if name in ("code", "number", "identity_number", "smart_card"):
        return f"{name} || '-' || :copy"
    if name == "e164":
        return "substr(e164, 1, 4) || printf('%02d', :copy) || substr(e164, 5)"
    return "min(1, score * (1 + :copy / 1000.0))" if name == "score" else name


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


def measure(settings: Settings, customers: int) -> list[Row]:
    """Build the list once, and take it back."""
    engine = make_engine(settings)
    with Session(engine) as session:
        rows = _measured(session, customers)
        session.rollback()
    engine.dispose()
    return rows


def _measured(session: Session, customers: int) -> list[Row]:
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
    (line,) = [each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM")]
    memory = int(line.split()[1]) * 1024 / 1e9
    shape = f"{customers:,} customers, {len(_OFFERS)} offers × 11 branches"
    listed = f"{build.listed:,} listed, {build.held_out:,} held out, {build.solver}, gap {build.gap:.2g}"
    return [
        {"name": "gates of all candidates", "value": gates, "unit": "s", "aim": "", "note": shape},
        {"name": "list built", "value": whole, "unit": "s", "aim": "< 15", "note": f"gates, choice, entries; {listed}"},
        {"name": "  of that, this process's own", "value": busy, "unit": "s", "aim": "", "note": "processor seconds"},
        {"name": "peak memory", "value": memory, "unit": "GB", "aim": "< 6.4", "note": "of the building process"},
    ]


if __name__ == "__main__":
    part, customers = sys.argv[1], int(sys.argv[2])
    if part == "fill":
        fill(Settings(), customers)
    else:
        print(json.dumps(measure(Settings(), customers)))
