"""What tests of loads share: a store to write to, and the lake as its readers see it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine, Table, insert, select

from core.lake import LOAD_COLUMN, PERSONAL_TABLE, current_loads, load_files
from core.settings import Settings
from crm_api.base import captured_tables
from crm_api.models import Base

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def table(name: str) -> Table:
    """A table of the store."""
    return Base.metadata.tables[name]


def settings_of(store: Engine, home: Path) -> Settings:
    """Settings of an installation at `home` whose store is `store`."""
    return Settings(home=home, database_url=store.url.render_as_string(hide_password=False))


def contact(number: int, **values: object) -> dict[str, object]:
    """A contact that keeps the schema."""
    fresh = {"channel_code": "voice", "external_id": f"c{number}", "outcome": "answered"}
    return fresh | {"started_at": START + timedelta(seconds=number)} | values


def add(store: Engine, name: str, *rows: dict[str, object]) -> None:
    """Write rows in one transaction."""
    with store.begin() as connection:
        for row in rows:
            connection.execute(insert(table(name)), row)


def delivered(lake: Path, name: str) -> list[dict[str, Any]]:
    """Every row of a table in the ledger's loads of the newest epoch, oldest load first."""
    return [
        row
        for load in current_loads(lake)
        for path in load_files(lake, name, load.load_id)
        for row in pq.ParquetFile(path).read().to_pylist()
    ]


def current(lake: Path, name: str) -> dict[Any, dict[str, Any]]:
    """What readers take for the table: of each key the version of the newest load."""
    key = next(iter(table(name).primary_key.columns)).name
    return {row[key]: row for row in delivered(lake, name)}


def in_store(store: Engine, name: str) -> dict[Any, dict[str, Any]]:
    """The table's rows in the store, without personal columns; documents as the text that the store holds."""
    columns = [column for column in table(name).c if not column.info.get("personal")]
    key = next(iter(table(name).primary_key.columns)).name
    with store.connect() as connection:
        rows = connection.execute(select(*columns)).mappings().all()
    return {
        row[key]: {name: json.dumps(each) if isinstance(each, dict) else each for name, each in row.items()}
        for row in rows
    }


def assert_lake_equals_store(store: Engine, lake: Path, *, calendar: bool = False) -> None:
    """Every captured table's current rows in the lake are the store's, and no version came twice.

    `calendar`: compare also the twenty thousand calendar days that reference data brings.
    """
    for captured in captured_tables():
        if captured.name == "calendar_days" and not calendar:
            continue
        rows = delivered(lake, captured.name)
        key = next(iter(captured.primary_key.columns)).name
        loads = [(row[key], row["row_version"], row["deleted_at"]) for row in rows]
        assert len(loads) == len(set(loads)), f"{captured.name}: a version came twice"
        now = {k: _without_load(row) for k, row in current(lake, captured.name).items()}
        assert now == in_store(store, captured.name), captured.name


def _without_load(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != LOAD_COLUMN}


def personal(lake: Path) -> set[tuple[str, int, str, str]]:
    """(table, key, field, value) in the restricted table."""
    rows = delivered(lake, PERSONAL_TABLE)
    return {(row["source_table"], row["source_id"], row["field"], row["value"]) for row in rows}


def schema_of(path: Path) -> pa.Schema:
    """A lake file's columns."""
    return pq.read_schema(path)
