"""Many rows into the store at once: Arrow tables through COPY on PostgreSQL, many rows a statement on SQLite.

Rows carry their own keys. Everything belongs to the caller's transaction: it is in as a whole or not at all.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Integer, Table, func, insert, select, text

from crm_api.base import Base

_BATCH = 20_000
# Many rows a statement on SQLite: with triggers on the table each statement keeps a journal of its own.
_ROWS_A_STATEMENT, _MOST_PARAMETERS = 250, 32_000


class BulkWriter:
    """Writes Arrow tables into tables of the store within one transaction.

    On SQLite all rows get one row version, taken from the capture clock here; on PostgreSQL the trigger sets it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"
        self._version = 0
        if self._is_sqlite:
            connection.execute(text("UPDATE capture_clock SET value = value + 1"))
            self._version = int(connection.scalar(text("SELECT value FROM capture_clock")) or 0)
        self._written: set[str] = set()

    def write(self, table: str, rows: pa.Table) -> int:
        """Insert `rows`; columns that they lack take their defaults. The number of rows.

        Raises:
            KeyError: a column that the table does not have.
            IntegrityError: a row breaks a constraint of the schema.
        """
        target = Base.metadata.tables[table]
        for name in rows.column_names:
            if name not in target.c:
                raise KeyError(f"{table} has no column {name!r}")
        self._written.add(table)
        if self._is_sqlite:
            self._insert(target, self._with_version(rows))
        else:
            self._copy(target, rows)
        return int(rows.num_rows)

    def finish(self) -> None:
        """Let the store's own numbering go on behind the keys written."""
        if self._is_sqlite:
            return
        for table in sorted(self._written):
            target = Base.metadata.tables[table]
            if isinstance(target.c[next(iter(target.primary_key.columns)).name].type, Integer):
                last = self._connection.scalar(select(func.max(target.c.id))) or 0
                sequence = func.pg_get_serial_sequence(table, "id")
                self._connection.execute(select(func.setval(sequence, func.greatest(last, 1), last > 0)))

    def _with_version(self, rows: pa.Table) -> pa.Table:
        if "row_version" in rows.column_names:
            rows = rows.drop_columns(["row_version"])
        return rows.append_column("row_version", pa.repeat(pa.scalar(self._version), rows.num_rows))

    def _insert(self, target: Table, rows: pa.Table) -> None:
        # The statement names the columns in the table's order, whatever the order they came in.
        names = [column.name for column in target.c if column.name in rows.column_names]
        rows = rows.select(names)
        statement = str(insert(target).values(dict.fromkeys(names)).compile(dialect=self._connection.dialect))
        head, _, places = statement.rpartition(" VALUES ")
        size = min(_ROWS_A_STATEMENT, _MOST_PARAMETERS // len(names))
        cursor: Any = self._connection.connection.cursor()
        try:
            for batch in rows.to_batches(_BATCH):
                columns = [_plain(column) for column in batch.columns]
                for start in range(0, batch.num_rows, size):
                    part = list(zip(*(column[start : start + size] for column in columns), strict=True))
                    several = head + " VALUES " + ", ".join([places] * len(part))
                    cursor.execute(several, list(chain.from_iterable(part)))
        except cursor_error(self._connection) as error:
            raise _integrity(statement, error) from error
        finally:
            cursor.close()

    def _copy(self, target: Table, rows: pa.Table) -> None:
        from psycopg import sql

        names = [name for name in rows.column_names if name != "row_version"]
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(target.name), sql.SQL(", ").join(sql.Identifier(name) for name in names)
        )
        cursor: Any = self._connection.connection.cursor()
        try:
            with cursor.copy(statement) as copy:
                for batch in rows.select(names).to_batches(_BATCH):
                    copy.write(_copy_text(batch))
        except cursor_error(self._connection) as error:
            raise _integrity(f"COPY {target.name}", error) from error
        finally:
            cursor.close()


def cursor_error(connection: Connection) -> Any:
    """The driver's class of integrity errors."""
    return connection.dialect.dbapi.IntegrityError  # type: ignore[union-attr]  # the dialect has loaded its driver


def _integrity(statement: str, error: Exception) -> Exception:
    from sqlalchemy.exc import IntegrityError

    return IntegrityError(statement, None, error)


def _text(column: pa.Array) -> pa.Array:
    """The column as SQLite and COPY spell it: instants in UTC with six decimals, dates as ISO days."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return pc.cast(column, kind.value_type)
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us")).cast(pa.string())
    if pa.types.is_date32(kind):
        return pc.strftime(column, format="%Y-%m-%d")
    return column


def _plain(column: pa.Array) -> list[Any]:
    if pa.types.is_boolean(column.type):
        return list(column.cast(pa.int8()).to_pylist())
    return list(_text(column).to_pylist())


def _copy_text(batch: pa.RecordBatch) -> bytes:
    r"""The rows in COPY's text format: tabs between, \N for NULL, backslash before what would be mistaken."""
    columns = []
    for column in batch.columns:
        written = _text(column)
        if pa.types.is_timestamp(column.type):
            written = pc.binary_join_element_wise(written, pa.scalar("+00"), "")
        elif pa.types.is_string(written.type):
            for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
                written = pc.replace_substring(written, plain, escaped)
        else:
            written = pc.cast(written, pa.string())
        columns.append(pc.fill_null(written, "\\N"))
    lines = pc.binary_join_element_wise(*columns, "\t")
    joined = pc.binary_join(pa.array([lines.to_pylist()], pa.list_(pa.string())), "\n")[0].as_py()
    return (joined + "\n").encode() if batch.num_rows else b""


def max_keys(connection: Connection, tables: Iterable[str]) -> Iterator[tuple[str, int]]:
    """The highest key of each table; 0 where it is empty."""
    for table in tables:
        yield table, int(connection.scalar(select(func.max(Base.metadata.tables[table].c.id))) or 0)
