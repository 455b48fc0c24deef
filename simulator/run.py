"""One run from parameters to finished rows, with progress on stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine, select

from core.database import make_engine
from core.settings import Settings, get_settings
from crm_api.organisation.models import OrgUnit
from crm_api.store import require_ready
from simulator.parameters import read_parameters
from simulator.province import Province, Wish
from simulator.sink import SIMULATED, Sink
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
    engine = make_engine(settings)
    with _progress(wish.days) as tell:
        require_ready(engine)
        refuse_if_simulated(engine)
        into = engine.url.render_as_string(hide_password=True)
        sink: Sink = StoreSink(engine, lambda table, rows: tell(0, f"writing {table}"))
        province = Province(wish, read, units_of(engine))
        rows = fill(sink, province, tell)
    engine.dispose()
    return {"rows": {table: rows.get(table, 0) for table in SIMULATED}, "into": into,
            "seconds": monotonic() - started}  # fmt: skip


def fill(sink: Sink, province: Province, tell: Any = lambda days, text: None) -> dict[str, int]:
    """Run the province into the sink; on any interruption the sink forgets everything."""
    try:
        province.run(sink, lambda days: tell(days, "simulating"))
        return sink.finish()
    except BaseException:
        sink.abandon()
        raise


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
