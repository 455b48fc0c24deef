"""One run from parameters to finished rows, with progress on stderr."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine, select

from core.database import make_engine, session_scope
from core.settings import Settings, get_settings
from crm_api.base import captured_tables
from crm_api.models import Base
from crm_api.organisation.models import OrgUnit
from crm_api.reference.service import load_reference
from crm_api.sla.policies import load_default_policies
from crm_api.store import require_ready
from simulator.columns import FIRST_VERSION, schema_of
from simulator.parameters import Parameters, read_parameters
from simulator.province import Province, Wish
from simulator.sink import SIMULATED, Sink
from simulator.sink_lake import LakeSink, refuse_if_loaded
from simulator.sink_store import StoreSink, refuse_if_simulated


def simulate(
    wish: Wish,
    *,
    target: str = "store",
    calls_per_year: float | None = None,
    parameters: Path | None = None,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Simulate a province into the store or the lake of these settings.

    Returns:
        `rows` per table, `into` (where they lie), `seconds`.

    Raises:
        ConfigurationError: the parameter file is wrong.
        StoreUnavailableError: the store is missing, locked or not migrated.
        BadInputError: the target already holds a simulated province.
    """
    started = monotonic()
    settings = settings or get_settings()
    read = read_parameters(parameters, calls_per_year=calls_per_year)
    with _progress(wish.days) as tell:
        if target == "lake":
            into = str(settings.lake)
            rows = _into_lake(wish, read, settings.lake, tell)
        else:
            engine = make_engine(settings)
            into = engine.url.render_as_string(hide_password=True)
            rows = _into_store(wish, read, engine, tell)
            engine.dispose()
    return {"rows": {table: rows.get(table, 0) for table in SIMULATED}, "into": into,
            "seconds": monotonic() - started}  # fmt: skip


def _into_store(wish: Wish, parameters: Parameters, engine: Engine, tell: Any) -> dict[str, int]:
    require_ready(engine)
    refuse_if_simulated(engine)
    sink = StoreSink(engine, lambda table, rows: tell(0, f"writing {table}"))
    return fill(sink, Province(wish, parameters, units_of(engine)), tell)


def _into_lake(wish: Wish, parameters: Parameters, lake: Path, tell: Any) -> dict[str, int]:
    refuse_if_loaded(lake)
    reference = reference_rows()
    sink = LakeSink(lake, f"simulated:{wish.seed}")
    return fill(sink, Province(wish, parameters, reference["org_units"].to_pylist()), tell, reference)


def fill(
    sink: Sink,
    province: Province,
    tell: Any = lambda days, text: None,
    reference: Mapping[str, pa.Table] | None = None,
) -> dict[str, int]:
    """Run the province into the sink, reference rows first; on any interruption the sink forgets everything."""
    try:
        for table, rows in (reference or {}).items():
            sink.add(table, rows)
        province.run(sink, lambda days: tell(days, "simulating"))
        return sink.finish()
    except BaseException:
        sink.abandon()
        raise


@lru_cache
def reference_rows() -> dict[str, pa.Table]:
    """What every store holds from the beginning, by table: read from a store in memory."""
    engine = make_engine(url="sqlite:///:memory:")
    Base.metadata.create_all(engine)
    with session_scope(engine) as session:
        load_reference(session)
        load_default_policies(session)
    tables: dict[str, pa.Table] = {}
    with engine.connect() as connection:
        for table in captured_tables():
            rows_of = connection.execute(select(table).order_by(*table.primary_key)).mappings()
            found = [{name: _as_loaded(value) for name, value in row.items()} for row in rows_of]
            if found:
                rows = pa.Table.from_pylist(found, schema=schema_of(table.name))
                place = rows.column_names.index("row_version")
                version = pa.repeat(pa.scalar(FIRST_VERSION), rows.num_rows)
                tables[table.name] = rows.set_column(place, "row_version", version)
    engine.dispose()
    return tables


def _as_loaded(value: object) -> object:
    """A value as a load brings it to the lake: documents are text."""
    return json.dumps(value) if isinstance(value, dict | list) else value


def units_of(engine: Engine) -> list[Any]:
    """The organisation units of a store, as mappings."""
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(select(OrgUnit.__table__))]


@contextmanager
def _progress(days: int) -> Iterator[Any]:
    columns = (TextColumn("{task.description:24}"), BarColumn(), MofNCompleteColumn(), TextColumn("days"),
               TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("preparing", total=days)
        yield lambda done, text: progress.update(task, advance=done, description=text)
