"""The lake's contract: where its files lie, what their columns are, and which loads are complete.

    <lake>/<table>/_schema.parquet                      no rows; the columns and key, so that readers always find a file
    <lake>/<table>/<load day>/<load id>.<file>.parquet  append-only
    <lake>/_ledger/<load id>.json                       written last: a load without it does not exist for readers

Every row carries `_dlt_load_id`. Personal columns never lie in a table of their own name: they go to
`personal_identifiers` (one row a value). Rows keep the store's primary key, `row_version` and `deleted_at`.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Boolean, Date, Float, Integer, Table
from sqlalchemy.types import TypeEngine

from core.database import UtcDateTime
from core.files import write_atomically

LOAD_COLUMN = "_dlt_load_id"
LEDGER = "_ledger"
PERSONAL_TABLE = "personal_identifiers"
_KEY = b"primary_key"

PERSONAL_SCHEMA = pa.schema(
    [
        ("source_table", pa.string()),
        ("source_id", pa.int64()),
        ("field", pa.string()),
        ("value", pa.string()),
        ("row_version", pa.int64()),
        ("deleted_at", pa.timestamp("us", "UTC")),
        (LOAD_COLUMN, pa.string()),
    ]
)


@dataclass(frozen=True)
class Load:
    """One completed load.

    `epoch` rises when the store was restored or replaced; its first load holds the whole store, so that loads of lower
    epochs no longer count (see `current_loads`). Within an epoch the load with the highest id that has a key holds its
    newest version: on PostgreSQL a key's `row_version` may fall, since transactions need not commit in order.
    `cursor` is where the next load begins (xmin of the snapshot on PostgreSQL, the clock on SQLite), `snapshot` the
    whole position (ingestion.snapshot), `follows` the load that this one continues (empty: it holds the whole store).
    `rows` counts what was delivered, `store_rows` all rows of a table (tombstones included) as the snapshot saw them,
    of those tables that were counted.
    """

    load_id: str
    epoch: int
    store_id: str
    cursor: int
    snapshot_at: str
    completed_at: str
    rows: dict[str, int] = field(default_factory=dict)
    snapshot: str = ""
    follows: str = ""
    store_rows: dict[str, int] = field(default_factory=dict)

    @property
    def rank(self) -> tuple[int, float]:
        """Loads in the order in which they outrank one another."""
        return self.epoch, float(self.load_id)


def _arrow_type(kind: TypeEngine[Any]) -> pa.DataType:
    if isinstance(kind, UtcDateTime):
        return pa.timestamp("us", "UTC")
    if isinstance(kind, Boolean):
        return pa.bool_()
    if isinstance(kind, Date):
        return pa.date32()
    if isinstance(kind, Float):
        return pa.float64()
    return pa.int64() if isinstance(kind, Integer) else pa.string()


def arrow_schema(table: Table, *, with_personal: bool = False) -> pa.Schema:
    """The lake's columns of a captured store table, without the load column; personal columns only on request."""
    return pa.schema(
        [
            pa.field(column.name, _arrow_type(column.type))
            for column in table.c
            if with_personal or not column.info.get("personal")
        ]
    )


def new_load_id(now: datetime | None = None) -> str:
    """A load id as dlt makes them: seconds since 1970 with six decimals; later loads sort after earlier ones."""
    return f"{(now or datetime.now(UTC)).timestamp():.6f}"


def load_file(lake: Path, table: str, load_id: str, file: int | str) -> Path:
    """Where file number `file` of a load of `table` lies."""
    day = datetime.fromtimestamp(float(load_id), UTC).strftime("%Y-%m-%d")
    return lake / table / day / f"{load_id}.{file}.parquet"


def ensure_schemas(lake: Path, tables: Iterable[Table]) -> None:
    """Write the empty schema file of each captured table and of the personal table, where it is missing or differs."""
    schemas = {
        table.name: arrow_schema(table)
        .append(pa.field(LOAD_COLUMN, pa.string()))
        .with_metadata({_KEY: ",".join(column.name for column in table.primary_key)})
        for table in tables
    }
    schemas[PERSONAL_TABLE] = PERSONAL_SCHEMA
    for name, schema in schemas.items():
        path = lake / name / "_schema.parquet"
        if path.exists() and pq.read_schema(path).equals(schema, check_metadata=True):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        pq.write_table(schema.empty_table(), temporary)
        temporary.replace(path)


def key_columns(lake: Path, table: str) -> list[str]:
    """The columns of the store's primary key, as the table's schema file names them; none where it does not."""
    metadata = pq.read_schema(lake / table / "_schema.parquet").metadata or {}
    return [name for name in metadata.get(_KEY, b"").decode().split(",") if name]


def record_load(lake: Path, load: Load) -> None:
    """Enter a load into the ledger: from now on readers see its rows. Repeating it changes nothing."""
    write_atomically(lake / LEDGER / f"{load.load_id}.json", json.dumps(asdict(load), ensure_ascii=False, indent=1))


def _read_load(path: Path) -> Load:
    return Load(**json.loads(path.read_text(encoding="utf-8")))


def completed_loads(lake: Path) -> list[Load]:
    """The ledger, oldest first by (epoch, load id)."""
    return sorted(map(_read_load, (lake / LEDGER).glob("*.json")), key=lambda load: load.rank)


def current_loads(lake: Path) -> list[Load]:
    """The loads that make up the store's present content: those of the newest epoch, oldest first."""
    loads = completed_loads(lake)
    return [load for load in loads if load.epoch == loads[-1].epoch]


def newest_load(lake: Path) -> Load | None:
    """The load with the highest id, without reading the whole ledger; None if there is none."""
    path = max((lake / LEDGER).glob("*.json"), key=lambda entry: float(entry.stem), default=None)
    return _read_load(path) if path else None


def load_files(lake: Path, table: str, load_id: str) -> list[Path]:
    """The files of one load of a table; other files of its folder may be unfinished, so never read all there are."""
    return sorted(load_file(lake, table, load_id, 0).parent.glob(f"{load_id}.*.parquet"))
