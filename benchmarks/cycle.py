"""A quarter of an hour's cycle behind a year's history: from a change in the store until a page's question shows it."""

import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb
import pyarrow.parquet as pq

from core.lake import LOAD_COLUMN, completed_loads, load_files, record_load
from core.settings import Settings
from core.time import utc_now

Row = dict[str, object]

CALLS = {"small": 100_000, "province": 10_000_000}
CALLS_PER_CUSTOMER = 3.85
#: The second cycle counts: the first meets a machine that has nothing cached.
CYCLES = 2
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_STEPS = (("ingest",), ("build",), ("publish",))
#: What a contact brings with it, parents first: table, its column that names the parent, the parent.
_FAMILY = (("calls", "contact_id", "contacts"), ("queue_visits", "contact_id", "contacts"),
           ("call_segments", "call_id", "calls"), ("tickets", "contact_id", "contacts"),
           ("ticket_events", "ticket_id", "tickets"))  # fmt: skip
_SHOWN = """
from datetime import date
from core.scope import PROVINCE
from warehouse.kpi import kpi_table
from warehouse.publication import current
from warehouse.reader import open_reader
print(int(kpi_table(open_reader(current(), PROVINCE), None, None, kpis=["contacts"])["contacts"].iloc[0]))
"""


def run(size: str) -> list[Row]:
    """Rows of name, value, unit, aim, note: seconds of each step of a cycle, each a process of its own, and in all.

    CRM_BENCH_HOME keeps the history in a folder for the next run; CRM_BENCH_LAKE names the lake of a year that
    `crm simulate --to lake` wrote, so that none is simulated.
    """
    calls = CALLS[size]
    with ExitStack() as kept:
        folder = os.environ.get("CRM_BENCH_HOME") or kept.enter_context(
            tempfile.TemporaryDirectory(prefix="crm-bench-")
        )
        settings = Settings(home=Path(folder) / "home")
        history(settings, Path(folder) / "simulated", calls)
        rows: list[Row] = []
        for cycle in range(1, CYCLES + 1):
            rows = _cycle(settings, max(calls // (365 * 96), 1), cycle, f"{calls / 1e6:g} M calls")
        return rows


def _cycle(settings: Settings, contacts: int, cycle: int, label: str) -> list[Row]:
    before = int(_run(settings, "-c", _SHOWN))
    change_store(settings, contacts)
    rows: list[Row] = []
    whole = 0.0
    for step in _STEPS:
        seconds, processor = _timed(settings, "-m", "cli.main", *step)
        whole += seconds
        note = f"process start included; {processor:.0f} s of processor time"
        rows.append({"name": f"{step[0]} behind {label}", "value": seconds, "unit": "s", "note": note})
    began = perf_counter()
    shown = int(_run(settings, "-c", _SHOWN))
    whole += perf_counter() - began
    if shown != before + contacts:
        raise RuntimeError(f"the dashboards' figure went from {before} to {shown}, not by {contacts}")
    note = f"{contacts} contacts with all that belongs to them; cycle {cycle} of {CYCLES}"
    return [*rows, {"name": f"a cycle behind {label}", "value": whole, "unit": "s", "aim": "< 120", "note": note}]


def _timed(settings: Settings, *arguments: str) -> tuple[float, float]:
    """Seconds that a command took, and of the processors: the latter say more on a machine that others use."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = perf_counter()
    _run(settings, *arguments)
    seconds, after = perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _run(settings: Settings, *arguments: str) -> str:
    environment = {**os.environ, "CRM_HOME": str(settings.home)}
    done = subprocess.run([sys.executable, *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def history(settings: Settings, simulated: Path, calls: int) -> None:
    """A store, behind whose first load stands a simulated year: as if it had held it, without filling it for an hour.

    Each step that was done is left as it is.
    """
    if not completed_loads(settings.lake):
        _year_and_store(settings, simulated, calls)
    for step, done in (("build", settings.home / "warehouse" / "BUILD.json"),
                       ("publish", settings.published / "CURRENT.json")):  # fmt: skip
        if not done.exists():
            _run(settings, "-m", "cli.main", step)


def _year_and_store(settings: Settings, simulated: Path, calls: int) -> None:
    lake = Path(os.environ.get("CRM_BENCH_LAKE") or simulated / "lake")
    if not lake.exists():
        customers = max(int(calls / CALLS_PER_CUSTOMER), 1000)
        _run(Settings(home=simulated), "-m", "cli.main", "simulate", "--customers", str(customers), "--days", "365",
             "--calls-per-year", str(CALLS_PER_CUSTOMER), "--seed", "1", "--to", "lake", "--json")  # fmt: skip
    (year,) = completed_loads(lake)
    _run(settings, "-m", "cli.main", "init")
    _run(settings, "-m", "cli.main", "ingest")
    (first,) = completed_loads(settings.lake)
    for path in [path for table in year.rows for path in load_files(lake, table, year.load_id)]:
        target = settings.lake / path.relative_to(lake)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, target)
    record_load(settings.lake, replace(year, epoch=first.epoch, store_id=first.store_id))
    record_load(settings.lake, replace(first, follows=year.load_id, store_rows={}))


def change_store(settings: Settings, contacts: int) -> None:
    """Write a quarter of an hour into the SQLite store: the year's latest contacts again, with new keys, as of now.

    Their customers and agents stand in the lake alone, so foreign keys are not enforced here.
    """
    first = completed_loads(settings.lake)[0]
    with duckdb.connect() as lake:
        lake.execute("set timezone = 'UTC'")
        found = {"contacts": _rows(lake, settings, first.load_id, "contacts",
                                   f"order by started_at desc limit {contacts}")}  # fmt: skip
        for table, column, parent in _FAMILY:
            keys = ", ".join(str(row["id"]) for row in found[parent]) or "-1"
            found[table] = _rows(lake, settings, first.load_id, table, f"where {column} in ({keys})")
    latest = max(row["started_at"] for row in found["contacts"])
    shift = utc_now() - timedelta(minutes=20) - latest
    # Beyond every key of the year and of an earlier run, and still exact as a float.
    keys_on = int((utc_now() - _BEGIN).total_seconds()) * 10**8
    with sqlite3.connect(settings.home / "store" / "crm.sqlite") as store:
        store.execute("pragma foreign_keys = off")
        store.execute("update capture_clock set value = value + 1")
        ((version,),) = store.execute("select value from capture_clock").fetchall()
        for table, rows in found.items():
            known = {str(column[1]) for column in store.execute(f"pragma table_info({table})")}
            for row in rows:
                _insert(store, table, _moved(table, row, shift, keys_on) | {"row_version": version}, known)


def _rows(
    lake: duckdb.DuckDBPyConnection, settings: Settings, load: str, table: str, which: str
) -> list[dict[str, Any]]:
    files = list(map(str, load_files(settings.lake, table, load)))
    if not files:
        return []
    names = [name for name in pq.read_schema(files[0]).names if name != LOAD_COLUMN]
    chosen = ", ".join(f'"{name}"' for name in names)
    result = lake.execute(f"select {chosen} from read_parquet({files}) {which}").fetchall()
    return [dict(zip(names, row, strict=True)) for row in result]


def _moved(table: str, row: dict[str, Any], shift: timedelta, keys_on: int) -> dict[str, Any]:
    columns = {"id", "visit_id", *(column for name, column, _ in _FAMILY if name == table)}
    moved = {name: value + keys_on if name in columns and value is not None else value for name, value in row.items()}
    moved |= {name: value + shift for name, value in moved.items() if isinstance(value, datetime)}
    moved |= {name: f"{value}+{keys_on // 10**8}" for name, value in moved.items() if name in ("external_id", "code")}
    return moved | ({"parent_id": None} if table == "tickets" else {})


def _insert(store: sqlite3.Connection, table: str, row: dict[str, Any], known: set[str]) -> None:
    row = {name: _stored(value) for name, value in row.items() if name in known}
    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
    store.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def _stored(value: Any) -> Any:
    """Instants as the store writes them."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value
