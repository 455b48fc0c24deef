"""The gate between ingest and build: the loads that came in, table by table; bad rows are set aside with reasons."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from core.errors import GateFailedError
from core.lake import LOAD_COLUMN, Load, current_loads, key_columns, load_files
from core.settings import Settings, get_settings
from warehouse.comparisons import SHIFTED, delivered_ratio, stability
from warehouse.expectations import Found, Given, Measure, Validator
from warehouse.export import engine_options, literal, quoted
from warehouse.gate_frames import frame, prepare_batch
from warehouse.gate_history import GateRun, history, judged, keep, mend_of, new_run_id, told_of
from warehouse.gate_page import write_page
from warehouse.lock import warehouse_lock
from warehouse.quarantine import Note, SetAside, judged_loads, note_of, notes, set_aside
from warehouse.suites import LakeSuite, lake_suites

#: More rows of a table and batch than both are not set aside: then the table is wrong, not a row.
_MOST_ROWS, _MOST_SHARE = 10, 0.01
#: Batches that the mix of a column is compared with.
_BATCHES = 100


@dataclass(frozen=True)
class _Table:
    """One lake table of the batch: its files as a SQL source, its key, and what was counted of it."""

    suite: LakeSuite
    source: str
    key: str
    counts: dict[str, int]
    changed: list[str]
    shares: dict[str, dict[str, int]]

    @property
    def bad(self) -> int:
        """Rows that meet a condition for setting aside, each as often as it meets one."""
        return sum(self.counts[name] for name in self.suite.aside)


def inspect(settings: Settings | None = None) -> GateRun | None:
    """Judge the loads that no gate has judged; None if there are none. Repeating it changes nothing.

    Raises:
        GateFailedError: an expectation that stops does not hold: the build refuses these loads until it does, or until
            a person releases the run.
        WarehouseBusyError: a build or publication runs.
    """
    settings = settings or get_settings()
    with warehouse_lock(settings, "gate"):
        every = current_loads(settings.lake)
        known = judged_loads(settings.lake)
        loads = [load for load in every if load.load_id not in known]
        if not loads:
            return None
        run, found = _judge(settings, every, loads)
        keep(settings, run)
        write_page(settings, run, found)
    if run.is_held:
        raise GateFailedError(
            f"A gate of the lake does not hold (run {run.run_id}); nothing is built:\n  {told_of(run)}", mend_of(run)
        )
    return run


def refuse_held(settings: Settings, loads: Sequence[str]) -> None:
    """GateFailedError if one of these loads is held by the gate of the lake."""
    run = next((run for run in history(settings) if run.stage == "lake"), None)
    if run and run.is_held and set(run.loads) & set(loads) - judged_loads(settings.lake):
        raise GateFailedError(
            f"The newest loads are held by a gate (run {run.run_id}):\n  {told_of(run)}", mend_of(run)
        )


def let_pass(settings: Settings, run: GateRun) -> None:
    """The loads of a released run count as judged: the next build reads them; what was set aside stays so."""
    note_of(settings.lake, Note(run.run_id, run.loads))


def _judge(settings: Settings, every: Sequence[Load], loads: Sequence[Load]) -> tuple[GateRun, list[Found]]:
    run_id = new_run_id()
    snapshot_at = datetime.fromisoformat(loads[-1].snapshot_at)
    validator = Validator()
    found: list[Found] = []
    aside: list[SetAside] = []
    with duckdb.connect(":memory:", config=engine_options(settings)) as connection:
        prepare_batch(connection, settings, loads)
        for name in ("lake_load_rows", "lake_store_rows"):
            equal: list[Given] = [
                {"expect": "column_values_to_be_between", "column": "difference", "min_value": 0, "max_value": 0}
            ]
            found += validator.validate(name, frame(connection, name, {}), equal)
        usual = _usual_shares(settings.lake)
        tables = [
            table
            for suite in lake_suites().values()
            if (table := _measured(connection, settings, suite, loads, snapshot_at))
        ]
        by_name = {f"lake.{table.suite.table}": table for table in tables}
        measures = [measure for table in tables for measure in _measures(table, every, usual)]
        for each in validator.validate_measures(measures):
            samples = (
                [] if each["holds"] else _samples(connection, by_name[each["suite"]], each["columns"], snapshot_at)
            )
            found.append(each | ({"samples": samples} if samples else {}))
        for table in tables:
            if table.bad and not _beyond(table):
                aside += _bad_rows(connection, table, snapshot_at)
    loads_of_run = [load.load_id for load in loads]
    run = judged(run_id, "lake", found, loads=loads_of_run, set_aside=len(aside))
    set_aside(settings.lake, loads_of_run[-1], aside)
    if not run.is_held:
        rows = {table.suite.table: table.counts["rows"] for table in tables}
        shares = {table.suite.table: table.shares for table in tables if table.shares}
        note_of(settings.lake, Note(run_id, loads_of_run, rows, shares))
    return run, found


def _measured(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    suite: LakeSuite,
    loads: Sequence[Load],
    snapshot_at: datetime,
) -> _Table | None:
    """One pass over the batch's rows of a table; None if it has none."""
    paths = [path for load in loads for path in load_files(settings.lake, suite.table, load.load_id)]
    if not paths:
        return None
    schema = settings.lake / suite.table / "_schema.parquet"
    listed = ", ".join(literal(path) for path in [schema, *paths])
    source = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
    keys = key_columns(settings.lake, suite.table)
    measures = {"rows": "true", **suite.aside, **suite.stop}
    measures["without_key"] = f"{quoted(keys[0])} is null" if keys else "false"
    asked = ", ".join(f"count(*) filter (where {what}) as {quoted(name)}" for name, what in measures.items())
    (values,) = _execute(connection, ["select", asked, "from", source], snapshot_at).fetchall()
    shares = {column: _mix(connection, source, column) for column in suite.shares}
    counts = dict(zip(measures, map(int, values), strict=True))
    return _Table(suite, source, keys[0] if keys else "", counts, _changed(schema, paths), shares)


def _execute(
    connection: duckdb.DuckDBPyConnection, words: Sequence[str], snapshot_at: datetime
) -> duckdb.DuckDBPyConnection:
    text = " ".join(words)
    return connection.execute(text, {"snapshot_at": snapshot_at} if "$snapshot_at" in text else {})


def _mix(connection: duckdb.DuckDBPyConnection, source: str, column: str) -> dict[str, int]:
    query = ["select coalesce(cast(", quoted(column), "as varchar), ''), count(*) from", source, "group by 1"]
    return {str(value): int(count) for value, count in connection.execute(" ".join(query)).fetchall()}


def _changed(schema: Path, paths: Sequence[Path]) -> list[str]:
    """Columns of the files that are not as the table's schema file says."""
    wanted = {field.name: field.type for field in pq.read_schema(schema)}
    changed = set()
    for path in paths:
        held = {field.name: field.type for field in pq.read_schema(path)}
        # A file from before a column was added is whole: the column reads as NULL.
        changed |= {
            name for name, kind in held.items() if wanted.get(name) != kind and not _same_kind(wanted, name, kind)
        }
        changed |= {name for name in (LOAD_COLUMN, "row_version") if name in wanted and name not in held}
    return sorted(changed)


def _same_kind(wanted: dict[str, Any], name: str, kind: Any) -> bool:
    """Whether text is text: large or dictionary-encoded strings read the same."""
    words = {"string", "large_string"}
    return name in wanted and str(wanted[name]) in words and (str(kind) in words or "dictionary" in str(kind))


def _beyond(table: _Table) -> bool:
    """Whether so many rows are bad that the table is wrong, not a row."""
    return table.bad > max(_MOST_ROWS, _MOST_SHARE * table.counts["rows"])


def _usual_shares(lake: Path) -> dict[str, dict[str, Counter[str]]]:
    """How often each value came in the batches before; the first batch of a lake is the whole store, a mix of years."""
    usual: dict[str, dict[str, Counter[str]]] = {}
    for note in notes(lake)[1:][-_BATCHES:]:
        for table, columns in note.shares.items():
            for column, counts in columns.items():
                usual.setdefault(table, {}).setdefault(column, Counter()).update(counts)
    return usual


def _measures(table: _Table, every: Sequence[Load], usual: dict[str, dict[str, Counter[str]]]) -> list[Measure]:
    """What the table's suite looks at."""
    name, rows = f"lake.{table.suite.table}", table.counts["rows"]
    stops = {each: count for each, count in table.counts.items() if each != "rows" and each not in table.suite.aside}
    stops |= {"columns_changed": len(table.changed), "bad_beyond_setting_aside": table.bad if _beyond(table) else 0}
    made = [Measure(name, each, count, greatest=0, rows=rows) for each, count in stops.items()]
    made += [Measure(name, each, table.counts[each], None, 0, "warn", rows) for each in table.suite.aside]
    made.append(Measure(name, "rows_to_usual", delivered_ratio(every, table.suite.table), 0.3, 3, "warn", rows))
    for column, counts in table.shares.items():
        moved = stability(counts, usual.get(table.suite.table, {}).get(column, Counter()))
        made.append(Measure(name, f"mix_of_{column}", moved, None, SHIFTED, "warn", rows))
    return made


def _samples(connection: duckdb.DuckDBPyConnection, table: _Table, name: str, snapshot_at: datetime) -> list[str]:
    if name == "columns_changed":
        return [", ".join(table.changed)]
    condition = {**table.suite.aside, **table.suite.stop}.get(name)
    if condition is None or not table.key:
        return []
    columns = sorted({table.key, *(word for word in _columns_of(connection, table.source) if word in condition)})
    query = ["select", ", ".join(map(quoted, columns)), "from", table.source, "where", condition]
    result = _execute(connection, query, snapshot_at)
    return [
        ", ".join(f"{column}={value}" for column, value in zip(columns, row, strict=True))
        for row in result.fetchmany(5)
    ]


def _columns_of(connection: duckdb.DuckDBPyConnection, source: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(" ".join(["describe select * from", source])).fetchall()]


def _bad_rows(connection: duckdb.DuckDBPyConnection, table: _Table, snapshot_at: datetime) -> list[SetAside]:
    cases = ", ".join(f"case when {what} then {literal(name)} end" for name, what in table.suite.aside.items())
    anything = " or ".join(f"coalesce({what}, false)" for what in table.suite.aside.values())
    chosen = f"cast({quoted(table.key)} as varchar), {LOAD_COLUMN}, concat_ws(', ', {cases}), to_json(held)"
    query = ["select", chosen, "from", table.source, "as held where", anything, "order by 1, 2"]
    return [
        SetAside(
            table.suite.table,
            table.key,
            str(key),
            str(load),
            str(reasons),
            json.dumps(json.loads(row), ensure_ascii=False),
        )
        for key, load, reasons, row in _execute(connection, query, snapshot_at).fetchall()
    ]
