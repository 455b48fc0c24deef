"""A quarter of an hour's cycle behind a year's history: from a change in the store until a page's question shows it."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb
import pyarrow.parquet as pq

from core.lake import LOAD_COLUMN, completed_loads, load_file, load_files, record_load
from core.settings import Settings
from core.time import utc_now

Row = dict[str, object]

CALLS = {"small": 100_000, "province": 10_000_000}
CALLS_PER_CUSTOMER = 3.85
#: The second cycle counts: the first meets a machine that has nothing cached.
CYCLES = 2
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
    """Rows of name, value, unit, aim, note: seconds of each step of a cycle, each a process of its own, and in all."""
    calls = CALLS[size]
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder:
        home = Path(folder) / "home"
        settings = Settings(home=home)
        _history(settings, Path(folder) / "simulated", calls)
        rows: list[Row] = []
        for cycle in range(1, CYCLES + 1):
            rows = _cycle(settings, max(calls // (365 * 96), 1), cycle, f"{calls / 1e6:g} M calls")
        return rows


def _cycle(settings: Settings, contacts: int, cycle: int, label: str) -> list[Row]:
    before = int(_run(settings, "-c", _SHOWN))
    change_store(settings, contacts, cycle)
    rows: list[Row] = []
    whole = 0.0
    for step in _STEPS:
        seconds = _timed(settings, "-m", "cli.main", *step)
        whole += seconds
        rows.append(
            {"name": f"{step[0]} behind {label}", "value": seconds, "unit": "s", "note": "process start included"}
        )
    began = perf_counter()
    shown = int(_run(settings, "-c", _SHOWN))
    whole += perf_counter() - began
    if shown != before + contacts:
        raise RuntimeError(f"the dashboards' figure went from {before} to {shown}, not by {contacts}")
    note = f"{contacts} contacts with all that belongs to them; cycle {cycle} of {CYCLES}"
    return [*rows, {"name": f"a cycle behind {label}", "value": whole, "unit": "s", "aim": "< 120", "note": note}]


def _timed(settings: Settings, *arguments: str) -> float:
    began = perf_counter()
    _run(settings, *arguments)
    return perf_counter() - began


def _run(settings: Settings, *arguments: str) -> str:
    environment = {**os.environ, "CRM_HOME": str(settings.home)}
    done = subprocess.run([sys.executable, *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def _history(settings: Settings, simulated: Path, calls: int) -> None:
    """A store, whose first load is a simulated year: as if the store had held it, without filling it for an hour."""
    customers = max(int(calls / CALLS_PER_CUSTOMER), 1000)
    _run(settings, "-m", "cli.main", "init")
    _run(settings, "-m", "cli.main", "ingest")
    source = Settings(home=simulated)
    _run(source, "-m", "cli.main", "simulate", "--customers", str(customers), "--days", "365", "--calls-per-year",
         str(CALLS_PER_CUSTOMER), "--seed", "1", "--to", "lake", "--json")  # fmt: skip
    (first,) = completed_loads(settings.lake)
    (year,) = completed_loads(source.lake)
    rows = dict(first.rows)
    with duckdb.connect() as connection:
        connection.execute("set preserve_insertion_order = false")
        for table, count in year.rows.items():
            for path in load_files(settings.lake, table, first.load_id):
                path.unlink()
            for number, path in enumerate(load_files(source.lake, table, year.load_id)):
                target = load_file(settings.lake, table, first.load_id, number)
                target.parent.mkdir(parents=True, exist_ok=True)
                moved = f"select * replace ('{first.load_id}' as {LOAD_COLUMN}) from read_parquet('{path}')"
                connection.execute(f"copy ({moved}) to '{target}' (format parquet)")
                path.unlink()
            rows[table] = count
    record_load(settings.lake, replace(first, rows=rows, store_rows={}))
    for step in _STEPS[1:]:
        _run(settings, "-m", "cli.main", *step)


def change_store(settings: Settings, contacts: int, cycle: int) -> None:
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
    keys_on = cycle * 10**9
    with sqlite3.connect(settings.home / "store" / "crm.sqlite") as store:
        store.execute("pragma foreign_keys = off")
        store.execute("update capture_clock set value = value + 1")
        ((version,),) = store.execute("select value from capture_clock").fetchall()
        for table, rows in found.items():
            known = {str(column[1]) for column in store.execute(f"pragma table_info({table})")}
            for row in rows:
                _insert(store, table, _moved(table, row, shift, keys_on, cycle) | {"row_version": version}, known)


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


def _moved(table: str, row: dict[str, Any], shift: timedelta, keys_on: int, cycle: int) -> dict[str, Any]:
    columns = {"id", "visit_id", *(column for name, column, _ in _FAMILY if name == table)}
    moved = {name: value + keys_on if name in columns and value is not None else value for name, value in row.items()}
    moved |= {name: value + shift for name, value in moved.items() if isinstance(value, datetime)}
    moved |= {name: f"{value}+{cycle}" for name, value in moved.items() if name in ("external_id", "code")}
    return moved | ({"parent_id": None} if table == "tickets" else {})


def _insert(store: sqlite3.Connection, table: str, row: dict[str, Any], known: set[str]) -> None:
    row = {name: _stored(value) for name, value in row.items() if name in known}
    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
    store.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def _stored(value: Any) -> Any:
    """Instants as the store writes them."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value
