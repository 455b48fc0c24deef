"""The small frames that gates look at: the batch per day, the marts per day, columns, values. Computed in DuckDB."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from core.lake import Load, completed_loads, current_loads, key_columns, load_files
from core.settings import Settings
from warehouse.export import SCHEMA, engine_options, literal, quoted

_QUERIES = Path(__file__).with_name("queries") / "gates"
#: Lake tables whose batch is looked at day by day.
_BATCH_TABLES = ("contacts", "queue_visits", "agent_states", "tickets")
#: More distinct texts than this are checked as a sample of that many.
_MOST_VALUES = 100_000


@contextmanager
def gate_connection(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that sees the built warehouse read-only, as `built` and its marts as `marts`."""
    with duckdb.connect(":memory:", config=engine_options(settings)) as connection:
        connection.execute(f"attach {literal(settings.warehouse_file)} as built (read_only)")
        connection.execute("use built")
        yield connection


def _read(paths: Sequence[Path]) -> str:
    listed = ", ".join(literal(path) for path in paths)
    return f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"


def batch(settings: Settings, built: Sequence[str], since: datetime | None) -> list[Load]:
    """The loads that the build saw and that came after the snapshot of the last publication; else the newest one."""
    loads = [load for load in completed_loads(settings.lake) if load.load_id in set(built)]
    new = [load for load in loads if since is None or datetime.fromisoformat(load.snapshot_at) > since]
    return new or loads[-1:]


def prepare_batch(connection: duckdb.DuckDBPyConnection, settings: Settings, loads: Sequence[Load]) -> None:
    """Temporary views of the batch's rows, what its ledger entries promise, and what its files hold."""
    for table in _BATCH_TABLES:
        schema = settings.lake / table / "_schema.parquet"
        paths = [path for load in loads for path in load_files(settings.lake, table, load.load_id)]
        connection.execute(
            " ".join(["create temp view", f"batch_{table}", "as select * from", _read([schema, *paths])])
        )
    promised = [(load.load_id, table, rows) for load in loads for table, rows in load.rows.items()]
    _register(connection, "batch_ledger", promised)
    held = [
        (load_id, table, sum(pq.read_metadata(path).num_rows for path in load_files(settings.lake, table, load_id)))
        for load_id, table, _ in promised
    ]
    _register(connection, "batch_files", held)
    counts = _store_counts(connection, settings, loads)
    frame = pd.DataFrame(counts, columns=["table_name", "store_rows", "lake_rows"])
    connection.register("batch_counts", frame)


def _register(connection: duckdb.DuckDBPyConnection, name: str, rows: list[tuple[str, str, int]]) -> None:
    connection.register(name, pd.DataFrame(rows, columns=["load_id", "table_name", "row_count"]))


def _store_counts(
    connection: duckdb.DuckDBPyConnection, settings: Settings, loads: Sequence[Load]
) -> list[tuple[str, int, int]]:
    """Per table that the newest load counted in the store: rows there, and keys of the newest epoch in the lake."""
    newest = loads[-1]
    epoch = [load for load in current_loads(settings.lake) if load.rank <= newest.rank]
    counts = []
    for table, expected in newest.store_rows.items():
        schema = settings.lake / table / "_schema.parquet"
        key = ", ".join(quoted(name) for name in key_columns(settings.lake, table))
        if not key:
            # A lake whose schemas were written before they named keys; the next load writes them anew.
            continue
        paths = [path for load in epoch for path in load_files(settings.lake, table, load.load_id)]
        query = " ".join(["select count(*) from (select distinct", key, "from", _read([schema, *paths]), ")"])
        ((found,),) = connection.execute(query).fetchall()
        counts.append((table, int(expected), int(found)))
    return counts


def frame(connection: duckdb.DuckDBPyConnection, name: str, parameters: dict[str, Any]) -> pd.DataFrame:
    """One frame by the name of its .sql file; `marts_values` is put together from the catalogue."""
    if name == "marts_values":
        return _values(connection)
    text = (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")
    used = {key: value for key, value in parameters.items() if f"${key}" in text}
    result: pd.DataFrame = connection.execute(text, used).df()
    return result


def _values(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Distinct texts of every text column of the marts, with where they stand."""
    columns = connection.execute(
        "select table_name, column_name from duckdb_columns() where database_name = 'built'"
        " and schema_name = $schema and data_type = 'VARCHAR' order by 1, 2",
        {"schema": SCHEMA},
    ).fetchall()
    frames = []
    for table, column in columns:
        query = ["select distinct", quoted(column), "as value from", f"{SCHEMA}.{quoted(table)}"]
        query += ["where", quoted(column), "is not null limit", str(_MOST_VALUES)]
        found = connection.execute(" ".join(query)).df()
        # Only texts with as many digits as a number of a person has need looking at one by one.
        found = found[found["value"].str.count(r"\d") >= 10]
        frames.append(found.assign(table=table, column=column))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"value": []})
