"""One snapshot of the store as Arrow, read in a process of its own and streamed through a pipe.

Its own process because the ADBC driver brings a second SQLite library, and two of them in one process lose each other's
file locks; besides, reading and Parquet writing then take a core each.

Output: one line of JSON (the store's state), an Arrow stream for every captured table, one line of JSON (row counts).
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import quote

import adbc_driver_manager.dbapi as adbc
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Table, func, literal_column, select, true, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url

import crm_api.models  # noqa: F401 - registers every table
from core.lake import arrow_schema
from core.time import utc_now
from crm_api.base import captured_tables
from ingestion.snapshot import Position, StoreState, identity_query

BATCH_ROWS = 65_536
#: Tables of up to so many rows are counted in every load that has rows of them.
COUNT_UP_TO = 2_000_000
#: Row version of the row that tells SQLite's driver the columns' types.
_TYPING_ROW = -1


def _connect(url: URL) -> Any:
    """A connection inside a read-only transaction whose snapshot the first query fixes."""
    if url.get_backend_name() == "postgresql":
        import adbc_driver_postgresql.dbapi

        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = adbc_driver_postgresql.dbapi.connect(address, autocommit=False)
        _run(connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return connection
    import adbc_driver_sqlite.dbapi

    connection = adbc_driver_sqlite.dbapi.connect(f"file:{quote(url.database or '')}?mode=ro", autocommit=True)
    _run(connection, "PRAGMA busy_timeout = 5000")
    _run(connection, "BEGIN")
    return connection


def _run(connection: Any, statement: str) -> None:
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement)


def _one(connection: Any, statement: str) -> Any:
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


def _written(statement: Any, dialect: str) -> str:
    """The statement as text: COPY, with which the PostgreSQL driver reads, takes no parameters."""
    known = postgresql.dialect() if dialect == "postgresql" else sqlite.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's
    return str(statement.compile(dialect=known, compile_kwargs={"literal_binds": True}))


def _typing_row(table: Table, schema: pa.Schema) -> Any:
    """One value of each column's stored type: SQLite's driver takes the types from the values that come first."""

    def example(name: str) -> str:
        kind = schema.field(name).type
        if name == "row_version":
            return str(_TYPING_ROW)
        if pa.types.is_floating(kind):
            return "0.0"
        return "0" if pa.types.is_integer(kind) or pa.types.is_boolean(kind) else "''"

    return select(*(literal_column(example(column.name)).label(column.name) for column in table.c))


def _query(table: Table, since: Position | None, dialect: str) -> str:
    wanted = select(*table.c).where(since.unseen(table) if since else true())
    if dialect == "postgresql":
        return _written(wanted, dialect)
    return _written(union_all(_typing_row(table, arrow_schema(table, with_personal=True)), wanted), dialect)


def _to_lake_type(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_string(column.type) and pa.types.is_timestamp(kind):
        # SQLite keeps UTC instants as text without a zone.
        column = pc.cast(column, pa.timestamp("us"))
    return pc.cast(column, kind)


def _batches(cursor: Any, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """What a query gives, in the lake's types."""
    for batch in cursor.fetch_record_batch():
        if batch.num_rows and batch.column("row_version")[0].as_py() == _TYPING_ROW:
            batch = batch.slice(1)
        if batch.num_rows:
            columns = [_to_lake_type(batch.column(field.name), field.type) for field in schema]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _stream_table(connection: Any, table: Table, since: Position | None, dialect: str, out: IO[bytes]) -> int:
    """Write the table's unseen rows as one Arrow stream; their number."""
    schema = arrow_schema(table, with_personal=True)
    rows = 0
    with closing(connection.cursor()) as cursor, pa.ipc.new_stream(out, schema) as stream:
        if dialect == "sqlite":
            cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(BATCH_ROWS)})
        cursor.execute(_query(table, since, dialect))
        for batch in _batches(cursor, schema):
            stream.write_batch(batch)
            rows += batch.num_rows
    return rows


def _total(connection: Any, table: Table, request: "Request", delivered: int, dialect: str) -> int | None:
    """All rows of the table in this snapshot; None where counting them would take long.

    Rows are never deleted: a first load delivers them all, and a table without new versions has as many as before.
    """
    if request.since is None:
        return delivered
    known = request.known_rows.get(table.name)
    if known is not None and delivered == 0:
        return known
    if request.count_all or (known is not None and known + delivered <= COUNT_UP_TO):
        return int(_one(connection, _written(select(func.count()).select_from(table), dialect))[0])
    return None


@dataclass(frozen=True)
class Request:
    """What the reader is asked for.

    Args:
        url: the store.
        since: what earlier loads have delivered; None: everything is wanted.
        known_rows: row counts of tables as the load before this one saw them.
        count_all: count every table, however long it takes.
    """

    url: str
    since: Position | None
    known_rows: dict[str, int]
    count_all: bool

    def to_json(self) -> str:
        """The line that the reader's process takes."""
        return json.dumps({**vars(self), "since": str(self.since) if self.since else None})

    @classmethod
    def from_json(cls, line: str) -> "Request":
        """Read what `to_json` wrote."""
        content = json.loads(line)
        return cls(**{**content, "since": Position.parse(content["since"]) if content["since"] else None})


def stream_snapshot(request: Request, out: IO[bytes]) -> None:
    """Write the store's state, every table's rows that `request.since` has not seen, and the tables' row counts."""
    address = make_url(request.url)
    dialect = address.get_backend_name()
    with closing(_connect(address)) as connection:
        taken_at = utc_now()
        state = StoreState.from_row(_one(connection, identity_query(dialect)))
        header = {
            "store_id": state.store_id,
            "cursor": state.cursor,
            "position": str(state.position),
            "snapshot_at": taken_at.isoformat(),
        }
        out.write(json.dumps(header).encode() + b"\n")
        totals = {}
        for table in captured_tables():
            delivered = _stream_table(connection, table, request.since, dialect, out)
            totals[table.name] = _total(connection, table, request, delivered, dialect)
        counted = {name: total for name, total in totals.items() if total is not None}
        out.write(json.dumps(counted).encode() + b"\n")
        out.flush()


def main() -> None:
    """Read a request from standard input, write the snapshot to standard output."""
    asked = sys.stdin.read()
    if not asked:
        # The load was ended before it asked.
        return
    try:
        stream_snapshot(Request.from_json(asked), sys.stdout.buffer)
    except adbc.Error as error:
        sys.stderr.write(f"{str(error).strip()}\n")
        sys.exit(3)
    except BrokenPipeError:
        # The load was ended; nobody listens any more.
        os._exit(4)


if __name__ == "__main__":
    main()
