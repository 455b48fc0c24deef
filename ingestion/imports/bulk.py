"""What a bulk load of foreign rows needs beside the store's bulk writer: a lock, lookups by key, keys reserved."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import JSON, Connection, Select, Table, Text, cast, column, func, literal, select, text

from crm_api.bulk import BulkWriter

Values: TypeAlias = npt.NDArray[Any]
#: Column → one value a row: datetime64 is UTC, object arrays hold texts, numbers or None.
Columns: TypeAlias = Mapping[str, Values]


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


class Loader:
    """Inserts rows of one transaction through the store's bulk writer, which is made when the first row comes.

    A transaction without rows so leaves the store as it was, its capture clock too.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._writer: BulkWriter | None = None

    def reserve(self, table: Table, count: int) -> npt.NDArray[np.int64]:
        """`count` new ids of the table; call it under `lock_writers`."""
        if self.connection.dialect.name == "sqlite":
            last = self.connection.scalar(select(func.max(table.c.id))) or 0
            return np.arange(last + 1, last + count + 1, dtype=np.int64)
        query = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)")
        numbers = self.connection.scalars(query, {"table": table.name, "count": count}).all()
        return np.asarray(numbers, dtype=np.int64)

    def insert(self, table: Table, columns: Columns) -> int:
        """Insert the rows, which the table does not hold yet; the number of rows."""
        arrays = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
        # What holds nothing needs no saying, unless the column would take a default.
        said = {name: array for name, array in arrays.items() if not pa.types.is_null(array.type)}
        rows = pa.table(said)
        if not rows.num_rows:
            return 0
        self._writer = self._writer or BulkWriter(self.connection)
        return self._writer.write(table.name, rows)
