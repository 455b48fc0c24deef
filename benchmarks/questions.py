"""Ten questions of managers asked of the marts, of the operational PostgreSQL and of the lake, in one run."""

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from string import Template
from time import perf_counter

import duckdb
import yaml
from sqlalchemy import Engine, text

from core.database import make_engine, session_scope
from core.lake import completed_loads, load_files
from core.scope import PROVINCE
from core.settings import Settings
from core.time import utc_now
from crm_api.reference.service import load_reference
from crm_api.sla.policies import load_default_policies
from crm_api.store import migrate
from ingestion.load import ingest
from simulator.province import Wish
from simulator.run import simulate
from warehouse.build import build
from warehouse.publish import publish
from warehouse.reader import open_reader

Row = dict[str, object]

#: Customers and days.
SIZES = {"small": (20_000, 90), "province": (260_000, 365)}
REPEATS = 5
_QUESTIONS = Path(__file__).with_name("questions.yml")


def run(size: str) -> list[Row]:
    """Rows of name, value, unit, aim, note: per question how many times faster the marts answer, and the medians."""
    from tests.servers import postgresql_cluster

    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder, postgresql_cluster() as url:
        settings = Settings(home=Path(folder) / "home", database_url=url)
        engine = make_engine(settings)
        try:
            _fill(settings, engine, *SIZES[size])
            return _asked(settings, engine)
        finally:
            engine.dispose()


def _fill(settings: Settings, engine: Engine, customers: int, days: int) -> None:
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
        load_default_policies(session)
    simulate(Wish(customers=customers, days=days, seed=1, until=utc_now().date()), settings=settings)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    ingest(settings)
    build(settings)
    publish(settings)


def _asked(settings: Settings, engine: Engine) -> list[Row]:
    from warehouse.publication import current

    reader = open_reader(current(settings), PROVINCE)
    rows: list[Row] = []
    beyond_store, beyond_lake = [], []
    with duckdb.connect(config={"threads": settings.duckdb_threads}) as lake, engine.connect() as store:
        lake.execute("set timezone = 'UTC'")
        tables = _lake_tables(settings.lake)
        for question in yaml.safe_load(_QUESTIONS.read_text(encoding="utf-8")):
            marts_query, store_query = question["marts"], text(question["store"])
            lake_query = Template(question["lake"]).substitute(tables)
            marts = _median(lambda query=marts_query: reader.rows(query))  # type: ignore[misc]  # mypy infers no lambda with a default
            operational = _median(lambda query=store_query: store.execute(query).fetchall())  # type: ignore[misc]  # mypy infers no lambda with a default
            parquet = _median(lambda query=lake_query: lake.execute(query).fetchall())  # type: ignore[misc]  # mypy infers no lambda with a default
            beyond_store.append(operational / marts)
            beyond_lake.append(parquet / marts)
            note = f"marts {marts * 1000:.1f} ms, PostgreSQL {operational * 1000:.0f} ms, lake {parquet * 1000:.1f} ms"
            rows.append(_row(question["name"], operational / marts, "× PostgreSQL", "", note))
    rows.append(_row("median over the store", statistics.median(beyond_store), "× PostgreSQL", "50"))
    rows.append(_row("median over the lake", statistics.median(beyond_lake), "× lake", "> 1"))
    rows.append(_row("least over the lake", min(beyond_lake), "× lake", "> 1"))
    return rows


def _lake_tables(lake: Path) -> dict[str, str]:
    loads = completed_loads(lake)
    found = {}
    for folder in lake.iterdir():
        paths = [str(path) for load in loads for path in load_files(lake, folder.name, load.load_id)]
        if paths:
            found[f"lake_{folder.name}"] = f"read_parquet({paths!r})"
    return found


def _median(ask: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        started = perf_counter()
        ask()
        times.append(perf_counter() - started)
    return statistics.median(times)


def _row(name: str, value: float, unit: str, aim: str, note: str = "") -> Row:
    return {"name": name, "value": value, "unit": unit, "aim": aim, "note": note}
