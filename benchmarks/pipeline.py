"""Building and publishing the marts at several sizes, their peak memory, how fast figures and pages answer."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter

from benchmarks.pages import page_rows
from core.scope import PROVINCE, Scope
from core.settings import Settings
from warehouse.kpi import kpi_table
from warehouse.publication import Publication, current
from warehouse.reader import Reader, open_reader

Row = dict[str, object]

#: Calls of a customer in a year, as in a province of 2.6 million customers with 10 million calls.
CALLS_PER_CUSTOMER = 3.85
SIZES = {"small": (100_000, 1_000_000), "province": (10_000_000,)}
REPEATS = 7


def run(size: str) -> list[Row]:
    """Rows of name, value, unit, aim, note; `size` is small (0.1 and 1 M calls) or province (10 M)."""
    return [row for calls in SIZES[size] for row in _one(calls)]


def _one(calls: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder:
        home = Path(folder) / "home"
        customers = max(int(calls / CALLS_PER_CUSTOMER), 1000)
        _crm(home, ["init"])
        _crm(home, ["simulate", "--customers", str(customers), "--days", "365", "--calls-per-year",
                    str(CALLS_PER_CUSTOMER), "--seed", "1", "--to", "lake", "--json"])  # fmt: skip
        rows = []
        for step in ("build", "publish"):
            seconds, peak = _crm(home, [step])
            rows += [_row(calls, step, seconds, "s"), _row(calls, f"{step}, peak memory", peak, "GB")]
        publication = current(Settings(home=home))
        rows[0]["note"] = f"{publication.row_counts['fct_contact']:,} contacts"
        rows.append(_row(calls, "published file", publication.file.stat().st_size / 1e9, "GB"))
        return rows + _queries(calls, publication) + page_rows(home, f"{calls / 1e6:g} M calls")


def _row(calls: int, name: str, value: float, unit: str, aim: str = "", note: str = "") -> Row:
    return {"name": f"{name} at {calls / 1e6:g} M calls", "value": value, "unit": unit, "aim": aim, "note": note}


def _crm(home: Path, arguments: Sequence[str]) -> tuple[float, float]:
    """Run one command in a process of its own: its seconds and its peak memory in GB."""
    started = perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        env={**os.environ, "CRM_HOME": str(home)},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"crm {json.dumps(list(arguments))} ended with {os.waitstatus_to_exitcode(status)}")
    # Linux counts kibibytes.
    return perf_counter() - started, usage.ru_maxrss * 1024 / 1e9


def _questions(last: date) -> dict[str, tuple[date | None, list[str], dict[str, list[str]]]]:
    """What pages ask: the period's first day, the groups, the filters."""
    month, week = last - timedelta(days=30), last - timedelta(days=7)
    return {
        "overview, 30 days": (month, [], {}),
        "days of 30 days": (month, ["day"], {}),
        "channels by month, all data": (None, ["month", "channel"], {}),
        "cities, 30 days": (month, ["city"], {}),
        "branches, all data": (None, ["branch"], {}),
        "half-hours of a week": (week, ["half_hour"], {}),
        "service types of a city, 30 days": (month, ["service_type"], {"city": ["xian"]}),
        "agents, 30 days": (month, ["agent"], {}),
    }


def _queries(calls: int, publication: Publication) -> list[Row]:
    assert publication.data_through is not None
    last = publication.data_through.date()
    rows: list[Row] = []
    for who, scope in (("province", PROVINCE), ("city", Scope("xian"))):
        reader = open_reader(publication, scope)
        times = [
            _timed(reader, first, last, by, filters)
            for first, by, filters in _questions(last).values()
            for _ in range(REPEATS)
        ]
        note = f"{len(_questions(last))} questions × {REPEATS}, every KPI"
        rows.append(_row(calls, f"kpi_table p50, {who}", statistics.median(times) * 1000, "ms", note=note))
        rows.append(_row(calls, f"kpi_table p95, {who}", statistics.quantiles(times, n=20)[-1] * 1000, "ms"))
    return rows


def _timed(reader: Reader, first: date | None, last: date, by: list[str], filters: dict[str, list[str]]) -> float:
    started = perf_counter()
    kpi_table(reader, first, last, by, filters)
    return perf_counter() - started
