"""Bulk rows into captured tables inside one transaction: keys reserved, versions set, SQLite and PostgreSQL."""

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from sqlalchemy import JSON, Connection, Select, Table, Text, cast, column, func, insert, literal, select, text

Values: TypeAlias = npt.NDArray[Any]
#: Column → one value a row: datetime64 is UTC, object arrays hold texts, numbers or None.
Columns: TypeAlias = Mapping[str, Values]

_ROWS_A_STATEMENT, _MOST_PARAMETERS = 250, 32_000
_MARK = 10  # where ISO form has its T


def lock_writers(connection: Connection, name: str) -> None:
    """Keep other bulk loads out until the transaction ends, so that what is looked up stays true."""
    if connection.dialect.name == "sqlite":
        # A write that changes nothing takes the only write lock there is.
        connection.execute(text("UPDATE capture_clock SET value = value"))
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def pairs(connection: Connection, query: Select[Any]) -> dict[str, int]:
    """The rows of a query of two columns, a code and a number, as a dict."""
    rows: Sequence[Any] = connection.execute(query).all()
    return {str(row[0]): int(row[1]) for row in rows}


def listed_keys(connection: Connection, keys: Sequence[str]) -> Select[Any]:
    """A subquery of the keys, passed as one parameter however many they are."""
    content = json.dumps(list(keys))
    if connection.dialect.name == "sqlite":
        listed = func.json_each(content).table_valued(column("value", Text))
    else:
        listed = func.json_array_elements_text(cast(literal(content, Text), JSON)).table_valued(column("value", Text))
    return select(listed.c.value)


def ids_by_key(
    connection: Connection, table: Table, key: str, keys: Sequence[str], **where: Sequence[str]
) -> dict[str, int]:
    """Id of each of `keys` that column `key` holds, among the rows whose columns `where` hold one of the values."""
    if not len(keys):
        return {}
    query = select(table.c[key], table.c.id).where(table.c[key].in_(listed_keys(connection, keys)))
    for name, values in where.items():
        query = query.where(table.c[name].in_(values))
    return pairs(connection, query)


def _sqlite_values(values: Values) -> list[Any]:
    if values.dtype.kind != "M":
        plain: list[Any] = values.tolist()
        return plain
    shown = np.datetime_as_string(values.astype("datetime64[us]"))
    shown.view("U1").reshape(len(shown), -1)[:, _MARK] = " "
    texts: list[Any] = shown.tolist()
    for position in np.flatnonzero(np.isnat(values)):
        texts[position] = None
    return texts


def _is_left_out(table: Table, name: str, values: Values) -> bool:
    """Whether nothing is said in this column, so that its NULL needs no saying either."""
    return values.dtype == object and table.c[name].server_default is None and bool(pd.isna(values).all())


class BulkWriter:
    """Inserts rows of one transaction; on SQLite they all carry one number of the capture clock."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.is_sqlite = connection.dialect.name == "sqlite"
        self._version: int | None = None

    @property
    def version(self) -> int:
        """The number of this transaction's rows (SQLite only), taken from the clock when first asked for."""
        if self._version is None:
            self.connection.execute(text("UPDATE capture_clock SET value = value + 1"))
            self._version = int(self.connection.execute(text("SELECT value FROM capture_clock")).scalar_one())
        return self._version

    def reserve(self, table: Table, count: int) -> npt.NDArray[np.int64]:
        """`count` new ids of the table; call it under `lock_writers`."""
        if self.is_sqlite:
            last = self.connection.scalar(select(func.max(table.c.id))) or 0
            return np.arange(last + 1, last + count + 1, dtype=np.int64)
        query = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)")
        numbers = self.connection.scalars(query, {"table": table.name, "count": count}).all()
        return np.asarray(numbers, dtype=np.int64)

    def insert(self, table: Table, columns: Columns) -> int:
        """Insert the rows, which the table does not hold yet; the number of rows."""
        count = len(next(iter(columns.values())))
        if count and self.is_sqlite:
            self._insert_sqlite(table, columns, count)
        elif count:
            self._copy(table, columns)
        return count

    def _insert_sqlite(self, table: Table, columns: Columns, count: int) -> None:
        columns = {name: values for name, values in columns.items() if not _is_left_out(table, name, values)}
        statement = insert(table).compile(dialect=self.connection.dialect, column_keys=[*columns, "row_version"])
        lists = {name: _sqlite_values(values) for name, values in columns.items()}
        lists["row_version"] = [self.version] * count
        # The compiled statement has its columns in the table's order.
        rows = list(zip(*(lists[name] for name in statement.positiontup or ()), strict=True))
        head, _, places = str(statement).rpartition(" VALUES ")
        # Many rows a statement: with a trigger on the table each statement costs a journal of its own.
        size = min(_ROWS_A_STATEMENT, _MOST_PARAMETERS // len(lists))
        for start in range(0, count, size):
            part = rows[start : start + size]
            several = head + " VALUES " + ", ".join([places] * len(part))
            self.connection.exec_driver_sql(several, tuple(chain.from_iterable(part)))

    def _copy(self, table: Table, columns: Columns) -> None:
        arrays = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
        stamped = {
            name: array.cast(pa.timestamp("us", "UTC")) if pa.types.is_timestamp(array.type) else array
            for name, array in arrays.items()
        }
        sink = pa.BufferOutputStream()
        pyarrow.csv.write_csv(pa.table(stamped), sink, pyarrow.csv.WriteOptions(include_header=False))
        quote = self.connection.dialect.identifier_preparer.quote
        names = ", ".join(quote(name) for name in columns)
        command = "COPY " + quote(table.name) + " (" + names + ") FROM STDIN (FORMAT csv)"
        driver: Any = self.connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(command) as copy:
            copy.write(sink.getvalue().to_pybytes())
