"""What the gates look at, without a build."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table

from core.lake import current_loads, key_columns, record_load
from core.settings import Settings
from tests.warehouse.lake import TABLES, Rows, write_load
from warehouse.gate_frames import frame, prepare_batch

PAIRS = Table(
    "pairs",
    MetaData(),
    Column("left_id", Integer, primary_key=True),
    Column("right_code", String, primary_key=True),
    Column("row_version", Integer),
)


def test_the_store_s_rows_are_counted_whatever_a_table_s_key_is(
    tmp_path: Path, reference: dict[str, Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TABLES, "pairs", PAIRS)
    settings = Settings(home=tmp_path)
    pairs = [{"left_id": number, "right_code": code, "row_version": 1} for number, code in ((1, "a"), (1, "b"))]
    write_load(settings.lake, {"pairs": pairs, "org_units": reference["org_units"]})
    # A key that comes again is the same row.
    write_load(settings.lake, {"pairs": pairs[:1]})
    units = len(reference["org_units"])
    newest = current_loads(settings.lake)[-1]
    record_load(settings.lake, replace(newest, store_rows={"pairs": 3, "org_units": units}))
    with duckdb.connect() as connection:
        prepare_batch(connection, settings, current_loads(settings.lake))
        counted = frame(connection, "lake_store_rows", {})
    assert counted.to_dict("records") == [
        {"table_name": "org_units", "store_rows": units, "lake_rows": units, "difference": 0},
        {"table_name": "pairs", "store_rows": 3, "lake_rows": 2, "difference": -1},
    ]


def test_every_table_of_the_lake_names_its_key(tmp_path: Path, reference: dict[str, Rows]) -> None:
    from crm_api.base import captured_tables

    lake = Settings(home=tmp_path).lake
    write_load(lake, {"org_units": reference["org_units"]})
    keys = {table.name: key_columns(lake, table.name) for table in captured_tables()}
    assert keys == {table.name: [column.name for column in table.primary_key] for table in captured_tables()}
    assert all(keys.values())
