"""The small frames that gates look at: what a batch promised, marts per day, texts, extremes. Computed in DuckDB."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from core.lake import Load, current_loads, key_columns, load_files
from core.settings import Settings
from warehouse.export import SCHEMA, engine_options, literal, quoted
from warehouse.suites import MartSuite

_QUERIES = Path(__file__).with_name("queries") / "gates"
#: More distinct texts than this are checked as a sample of that many.
_MOST_VALUES = 100_000
#: Columns of facts whose values the build's laws hold to the members of dimensions.
_CODES = frozenset({"channel_code", "service_type_code", "product_code", "complaint_type_code", "city_code"})


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


def prepare_batch(connection: duckdb.DuckDBPyConnection, settings: Settings, loads: Sequence[Load]) -> None:
    """Temporary views of what the batch's ledger entries promise, what its files hold, and what the store had."""
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
    """Distinct texts of the marts' text columns that have as many digits as a number of a person, and where they stand.

    Codes of facts are members of dimensions (laws of the build), whose texts are looked at.
    """
    columns = connection.execute(
        "select table_name, column_name from duckdb_columns() where database_name = 'built'"
        " and schema_name = $schema and data_type = 'VARCHAR' order by 1, 2",
        {"schema": SCHEMA},
    ).fetchall()
    frames = []
    for table, column in columns:
        if column in _CODES and not table.startswith("dim_"):
            continue
        name = quoted(column)
        # Over an aggregate, or DuckDB asks the pattern of every row before it looks for distinct texts.
        query = ["select max(", name, ") as value from", f"{SCHEMA}.{quoted(table)}", "group by", name,
                 "having length(regexp_replace(max(", name, "), '[^0-9]', '', 'g')) >= 10 limit",
                 str(_MOST_VALUES)]  # fmt: skip
        found = connection.execute(" ".join(query)).df()
        if len(found):
            frames.append(found.assign(table=table, column=column))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"value": []})


def columns_of(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Columns and types of every built mart, named as the suites name types."""
    rows = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where database_name = 'built'"
        " and schema_name = $schema order by table_name, column_index",
        {"schema": SCHEMA},
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for mart, column, kind in rows:
        found.setdefault(mart, {})[column] = kind.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ").lower()
    return found


def extremes(
    connection: duckdb.DuckDBPyConnection, suite: MartSuite, columns: Sequence[str]
) -> tuple[dict[str, tuple[float | None, float | None]], int]:
    """Least and greatest value of each of the mart's columns that has a range, and how many rows the mart has.

    One pass over the mart, however many columns are looked at.
    """
    looked = [name for name in suite.ranges if name in columns]
    asked = ["count(*)", *(f"{kind}({quoted(name)})" for kind in ("min", "max") for name in looked)]
    query = ["select", ", ".join(asked), "from", f"{SCHEMA}.{quoted(suite.mart)}"]
    ((rows, *values),) = connection.execute(" ".join(query)).fetchall()
    numbers = list(map(_number, values))
    least, greatest = numbers[: len(looked)], numbers[len(looked) :]
    return dict(zip(looked, zip(least, greatest, strict=True), strict=True)), int(rows)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def counts_by_day(connection: duckdb.DuckDBPyConnection, suite: MartSuite, days: Sequence[int]) -> dict[int, int]:
    """Rows of the mart on each of these days (yyyymmdd); a day without rows is missing."""
    day = quoted(suite.day)
    listed = ", ".join(str(int(each)) for each in days)
    query = [
        "select",
        day,
        ", count(*) from",
        f"{SCHEMA}.{quoted(suite.mart)}",
        "where",
        day,
        "in (",
        listed,
        ") group by 1",
    ]
    return {int(key): int(count) for key, count in connection.execute(" ".join(query)).fetchall()}


def mixes(
    connection: duckdb.DuckDBPyConnection, suite: MartSuite, column: str, since: int, between: int, until: int
) -> tuple[dict[str, int], dict[str, int]]:
    """How often each value of a column came on the days [between, until) and, before them, on [since, between)."""
    day, name = quoted(suite.day), quoted(column)
    query = ["select cast(", name, "as varchar), count(*) filter (where", day, ">= $between), count(*) filter (where",
             day, "< $between) from", f"{SCHEMA}.{quoted(suite.mart)}", "where", day, ">= $since and", day,
             "< $until group by 1"]  # fmt: skip
    rows = connection.execute(" ".join(query), {"since": since, "between": between, "until": until}).fetchall()
    return {str(value): int(now) for value, now, _ in rows}, {str(value): int(old) for value, _, old in rows}
