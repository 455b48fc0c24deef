"""From numpy columns to Arrow tables with exactly the columns of a table of the store.

Keys and vocabulary indexes use -1, instants use NEVER for "none"; both become NULL.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Boolean, DefaultClause, Float, Integer

from core.lake import arrow_schema
from crm_api.models import Base

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Column = Any  # an Arrow array, or a scalar for all rows

#: The instant that never comes.
NEVER = np.iinfo(np.int64).min
_INSTANT = pa.timestamp("us", "UTC")
#: Simulated rows come into being in one piece.
FIRST_VERSION = 1


def _mask(values: np.ndarray[Any, Any], none: int) -> Flags | None:
    missing: Flags = values == none
    return missing if missing.any() else None


def looked_up(values: Ints, positions: Ints) -> Ints:
    """The values at the positions; -1 where the position is -1 (also when there are no values at all)."""
    found = np.full(len(positions), -1, np.int64)
    known = positions >= 0
    found[known] = values[positions[known]]
    return found


def keys(values: Ints) -> pa.Array:
    """64-bit keys; -1 is NULL."""
    return pa.array(values, mask=_mask(values, -1))


def instants(values: Ints) -> pa.Array:
    """Instants from microseconds since 1970 (UTC); NEVER is NULL."""
    return pa.array(values, mask=_mask(values, NEVER)).view(_INSTANT)


def days(values: Ints) -> pa.Array:
    """Dates from days since 1970; NEVER is NULL."""
    return pa.array(values, mask=_mask(values, NEVER)).cast(pa.int32()).view(pa.date32())


def words(vocabulary: Sequence[str], indexes: np.ndarray[Any, Any]) -> pa.Array:
    """Strings of a small vocabulary; index -1 is NULL."""
    indexes = indexes.astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(indexes, mask=_mask(indexes, -1)), pa.array(vocabulary, pa.string()))


def numbered(prefix: str, values: Ints, width: int = 0) -> pa.Array:
    """Strings made of a prefix and a number, filled with zeros to `width`."""
    text = pc.cast(pa.array(values), pa.string())
    if width:
        text = pc.utf8_lpad(text, width, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), text, "")


@lru_cache
def schema_of(table: str) -> pa.Schema:
    """The columns of a store table, personal ones included."""
    return arrow_schema(Base.metadata.tables[table], with_personal=True)


@lru_cache
def _defaults(table: str) -> dict[str, Any]:
    """The store's own defaults of a table's columns, as values."""
    values: dict[str, Any] = {}
    for column in Base.metadata.tables[table].c:
        if isinstance(column.server_default, DefaultClause):
            said = str(column.server_default.arg)
            kind = column.type
            values[column.name] = said == "1" if isinstance(kind, Boolean) else said
            if isinstance(kind, Integer | Float):
                values[column.name] = kind.python_type(said)
    return values


def rows_of(table: str, count: int, columns: Mapping[str, Column]) -> pa.Table:
    """`count` rows of a store table; `row_version` is FIRST_VERSION, another column not given its default or NULL.

    Raises:
        KeyError: a column that the table does not have.
    """
    schema = schema_of(table)
    unknown = set(columns) - set(schema.names)
    if unknown:
        raise KeyError(f"{table} has no column {sorted(unknown)[0]!r}")
    given = {**_defaults(table), "row_version": FIRST_VERSION, **columns}
    arrays = []
    for field in schema:
        value = given.get(field.name)
        if isinstance(value, pa.Array | pa.ChunkedArray):
            arrays.append(value)
        elif value is None:
            arrays.append(pa.nulls(count, field.type))
        elif pa.types.is_string(field.type):
            arrays.append(words([value], np.zeros(count, np.int32)))
        else:
            arrays.append(pa.repeat(pa.scalar(value, field.type), count))
    return pa.Table.from_arrays(arrays, names=schema.names)
