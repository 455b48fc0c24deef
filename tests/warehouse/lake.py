"""Writes a store's rows straight to the lake, as a load of ingestion would: for fast tests of the warehouse."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine, Table, select

from core.lake import LOAD_COLUMN, Load, arrow_schema, ensure_schemas, load_file, new_load_id, record_load
from core.time import utc_now
from crm_api.base import captured_tables
from crm_api.models import Base

Rows = list[dict[str, Any]]
TABLES: dict[str, Table] = {table.name: table for table in captured_tables() if table.metadata is Base.metadata}


def _stored(value: Any) -> Any:
    """Documents lie in the lake as the store holds them: JSON."""
    return json.dumps(value) if isinstance(value, dict | list) else value


def stored_rows(engine: Engine) -> dict[str, Rows]:
    """Every captured row of a store, by table."""
    with engine.connect() as connection:
        return {
            name: [dict(row) for row in connection.execute(select(table)).mappings()] for name, table in TABLES.items()
        }


def write_load(
    lake: Path,
    rows: Mapping[str, Rows],
    *,
    epoch: int = 1,
    load_id: str | None = None,
    complete: bool = True,
    snapshot_at: str | None = None,
) -> str:
    """Write one load of rows to the lake and enter it in the ledger (unless not complete); its id."""
    load = load_id or new_load_id()
    ensure_schemas(lake, TABLES.values())
    for name, content in rows.items():
        if not content:
            continue
        schema = arrow_schema(TABLES[name])
        kept = [{field: _stored(row.get(field)) for field in schema.names} for row in content]
        table = pa.Table.from_pylist(kept, schema=schema)
        table = table.append_column(LOAD_COLUMN, pa.array([load] * len(kept), pa.string()))
        path = load_file(lake, name, load, 0)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
    if complete:
        now = utc_now().isoformat()
        counts = {name: len(content) for name, content in rows.items()}
        record_load(lake, Load(load, epoch, "test", 0, snapshot_at or now, now, counts))
    return load
