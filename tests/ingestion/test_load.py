"""A load carries everything that was committed, once, with its types, and personal data through one door."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, text, update

from core.database import make_engine
from core.lake import LOAD_COLUMN, PERSONAL_SCHEMA, PERSONAL_TABLE, arrow_schema, completed_loads, pa
from core.settings import Settings
from crm_api.base import captured_tables
from ingestion.load import ingest
from ingestion.reader import BATCH_ROWS
from tests.ingestion.loads import (
    START,
    add,
    assert_lake_equals_store,
    contact,
    current,
    delivered,
    personal,
    schema_of,
    settings_of,
    table,
)


@pytest.fixture
def settings(store: Engine, tmp_path: Path) -> Settings:
    return settings_of(store, tmp_path / "home")


def test_the_first_load_is_the_whole_store_and_the_second_only_what_is_new(store: Engine, settings: Settings) -> None:
    first = ingest(settings)
    assert first.load_id and first.epoch == 1
    assert first.rows["channels"] == 9
    assert_lake_equals_store(store, settings.lake, calendar=True)

    add(store, "contacts", contact(1), contact(2))
    with store.begin() as connection:
        connection.execute(update(table("channels")).where(table("channels").c.code == "fax").values(name_en="Fax!"))
    second = ingest(settings)
    assert second.rows == {"contacts": 2, "channels": 1}
    assert current(settings.lake, "channels")["fax"]["name_en"] == "Fax!"
    assert_lake_equals_store(store, settings.lake)
    _assert_nothing_new_writes_nothing(settings)


def _assert_nothing_new_writes_nothing(settings: Settings) -> None:
    before = sorted(path for path in settings.home.rglob("*") if path.is_file())
    again = ingest(settings)
    assert again.load_id is None and again.rows == {} and again.epoch == 1
    assert sorted(path for path in settings.home.rglob("*") if path.is_file()) == before
    assert again.seconds < 2


def test_a_merge_and_its_tombstone_are_versions_like_any_other(store: Engine, settings: Settings) -> None:
    customer = {"kind": "person", "registered_at": START}
    add(store, "customers", {"id": 1, "code": "1"} | customer, {"id": 2, "code": "2"} | customer)
    add(store, "contacts", contact(1, customer_id=2))
    ingest(settings)
    with store.begin() as connection:
        duplicate = table("customers").c.id == 2
        connection.execute(update(table("customers")).where(duplicate).values(merged_into_id=1, deleted_at=START))
        connection.execute(update(table("contacts")).values(customer_id=1))
    assert ingest(settings).rows == {"customers": 1, "contacts": 1}
    assert [row["deleted_at"] for row in delivered(settings.lake, "customers")] == [None, None, START]
    assert_lake_equals_store(store, settings.lake)
    _assert_ledger_counts_the_store(settings)


def _assert_ledger_counts_the_store(settings: Settings) -> None:
    last = completed_loads(settings.lake)[-1]
    assert last.store_rows["customers"] == 2 and last.store_rows["contacts"] == 1
    for item in captured_tables():
        assert len(current(settings.lake, item.name)) == last.store_rows[item.name], item.name


def test_types_come_through_exactly(store: Engine, settings: Settings) -> None:
    second = datetime(2026, 12, 31, 16, 0, 0, 1, tzinfo=UTC)
    add(store, "contacts", *[contact(i, id=i, remote_address=f"+86{i}") for i in range(1, 4)])
    whole = {"contact_id": 1, "ivr_seconds": 3.0, "hangup_cause": 16, "has_recording": True}
    add(store, "calls", {"started_at": START, "ended_at": second} | whole)
    add(store, "calls", {"started_at": second, "contact_id": 2, "ivr_seconds": 0.1, "trunk": "干线 1 '%s' \\ \n"})
    add(store, "customers", {"id": 1, "code": "1", "kind": "person", "registered_at": second})
    consent = {"customer_id": 1, "channel": "sms", "purpose": "survey", "granted": False}
    add(store, "consents", consent | {"valid_from": date(1999, 12, 31)})
    ingest(settings)
    calls = current(settings.lake, "calls")
    assert [row["ivr_seconds"] for row in calls.values()] == [3.0, 0.1]
    assert calls[1]["ended_at"] == second and calls[1]["has_recording"] is True
    assert calls[2]["trunk"] == "干线 1 '%s' \\ \n"
    assert_lake_equals_store(store, settings.lake)
    _assert_files_keep_the_contract(settings)


def _assert_files_keep_the_contract(settings: Settings) -> None:
    load = pa.field(LOAD_COLUMN, pa.string())
    expected = {item.name: arrow_schema(item).append(load) for item in captured_tables()}
    expected[PERSONAL_TABLE] = PERSONAL_SCHEMA
    assert {path.parent.name for path in settings.lake.glob("*/_schema.parquet")} == set(expected)
    for path in settings.lake.rglob("*.parquet"):
        name = path.relative_to(settings.lake).parts[0]
        assert schema_of(path).equals(expected[name]), path


def test_a_text_that_appears_late_does_not_change_the_column(sqlite_url: str, tmp_path: Path) -> None:
    """SQLite's driver takes a column's type from the values that come first."""
    store, late = make_engine(url=sqlite_url), BATCH_ROWS + 10
    with store.begin() as connection:
        number = connection.scalar(text("UPDATE capture_clock SET value = value + 1 RETURNING value"))
        rows = [contact(i, data_flag="late" if i == late else None, row_version=number) for i in range(late + 1)]
        connection.execute(insert(table("contacts")), rows)
    settings = settings_of(store, tmp_path / "home")
    assert ingest(settings).rows["contacts"] == late + 1
    flags = [row["data_flag"] for row in delivered(settings.lake, "contacts")]
    assert flags.count("late") == 1 and flags.count(None) == late
    store.dispose()


def test_personal_data_goes_through_one_door(store: Engine, settings: Settings) -> None:
    secrets = {"name": "张伟国", "identity_number": "420106197001011234"}
    add(store, "customers", {"id": 7, "code": "7", "kind": "person", "registered_at": START} | secrets)
    add(store, "customer_phones", {"id": 1, "customer_id": 7, "e164": "+8613871234567", "kind": "mobile"})
    add(store, "customer_addresses", {"id": 1, "customer_id": 7, "detail": "幸福路 88 号"})
    add(store, "contacts", contact(1, id=1, remote_address="+8613871234567"), contact(2, id=2))
    ingest(settings)
    assert personal(settings.lake) == {
        ("customers", 7, "name", "张伟国"),
        ("customers", 7, "identity_number", "420106197001011234"),
        ("customer_phones", 1, "e164", "+8613871234567"),
        ("customer_addresses", 1, "detail", "幸福路 88 号"),
        ("contacts", 1, "remote_address", "+8613871234567"),
    }
    needles = [value.encode() for value in ("张伟国", "420106197001011234", "3871234567", "幸福路 88 号")]
    for path in settings.home.rglob("*"):
        if path.is_file() and PERSONAL_TABLE not in path.parts and "store" not in path.parts:
            content = path.read_bytes()
            assert not [needle for needle in needles if needle in content], path
