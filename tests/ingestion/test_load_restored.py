"""A restored or replaced store starts a new epoch; a store that cannot be read is told and nothing is loaded."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from core.database import make_engine
from core.errors import CrmError, StoreUnavailableError
from core.lake import Load, completed_loads, record_load
from core.settings import Settings
from crm_api.store import mark_restored, migrate
from ingestion.load import ingest
from tests.ingestion.loads import add, assert_lake_equals_store, contact, current, settings_of


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Engine]:
    store = make_engine(url=sqlite_url)
    yield store
    store.dispose()


def test_a_store_marked_as_restored_is_taken_anew(store: Engine, tmp_path: Path) -> None:
    settings = settings_of(store, tmp_path / "home")
    ingest(settings)
    add(store, "contacts", contact(1))
    mark_restored(store)
    result = ingest(settings)
    assert result.epoch == 2 and result.rows["contacts"] == 1 and result.rows["channels"] == 9
    assert_lake_equals_store(store, settings.lake)
    add(store, "contacts", contact(2))
    assert ingest(settings).rows == {"contacts": 1}


def test_an_older_copy_of_the_store_is_noticed(sqlite_store: Engine, tmp_path: Path) -> None:
    settings = settings_of(sqlite_store, tmp_path / "home")
    store_file = Path(sqlite_store.url.database or "")
    with sqlite_store.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    shutil.copy(store_file, tmp_path / "backup")
    add(sqlite_store, "contacts", contact(1), contact(2))
    ingest(settings)
    sqlite_store.dispose()
    shutil.copy(tmp_path / "backup", store_file)
    add(sqlite_store, "contacts", contact(3))
    assert ingest(settings).epoch == 2
    assert [row["external_id"] for row in current(settings.lake, "contacts").values()] == ["c3"]
    assert_lake_equals_store(sqlite_store, settings.lake)


def test_another_store_in_its_place_is_noticed(sqlite_store: Engine, tmp_path: Path) -> None:
    settings = settings_of(sqlite_store, tmp_path / "home")
    ingest(settings)
    other = make_engine(url=f"sqlite:///{tmp_path / 'other.sqlite'}")
    migrate(other)
    for number in range(30):
        add(other, "channels", {"code": f"c{number}", "name_zh": "渠道", "name_en": "Channel"})
    assert ingest(settings_of(other, settings.home)).epoch == 2
    assert_lake_equals_store(other, settings.lake)
    other.dispose()


@pytest.mark.postgresql
def test_a_database_made_anew_in_the_same_cluster_is_noticed(
    postgresql_url: str, postgresql: str, tmp_path: Path
) -> None:
    """The copy of the template has the same store identity: its database's number tells it apart."""
    store = make_engine(url=postgresql_url)
    settings = settings_of(store, tmp_path / "home")
    add(store, "contacts", contact(1))
    ingest(settings)
    store.dispose()
    name = make_url(postgresql_url).database
    admin = create_engine(make_url(postgresql).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name}"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template_crm"))
    admin.dispose()
    assert ingest(settings).epoch == 2
    assert current(settings.lake, "contacts") == {}
    assert_lake_equals_store(store, settings.lake)
    store.dispose()


def test_a_missing_store_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="no operational store"):
        ingest(Settings(home=tmp_path, database_url=""))


def test_a_store_that_is_not_migrated_is_told(tmp_path: Path) -> None:
    make_engine(url=f"sqlite:///{tmp_path / 'crm.sqlite'}").connect().close()
    with pytest.raises(StoreUnavailableError, match="revision none"):
        ingest(Settings(home=tmp_path / "home", database_url=f"sqlite:///{tmp_path / 'crm.sqlite'}"))


def test_a_locked_store_is_told_and_the_lake_stays(sqlite_store: Engine, tmp_path: Path) -> None:
    settings = settings_of(sqlite_store, tmp_path / "home")
    ingest(settings)
    sqlite_store.dispose()
    with sqlite_store.connect() as owner:
        owner.execute(text("PRAGMA locking_mode = EXCLUSIVE"))
        owner.execute(text("UPDATE channels SET name_en = 'Locked'"))
        owner.commit()
        with pytest.raises(StoreUnavailableError, match="locked"):
            ingest(settings)
        owner.invalidate()
    assert len(completed_loads(settings.lake)) == 1
    assert ingest(settings).rows == {"channels": 9}


def test_a_lake_that_was_simulated_is_not_overwritten(sqlite_store: Engine, tmp_path: Path) -> None:
    settings = settings_of(sqlite_store, tmp_path / "home")
    simulated = Load("1795385784.5", 1, "simulated/seed 7", 0, "2026-03-01T00:00:00+00:00", "2026-03-01T00:00:01+00:00")
    record_load(settings.lake, simulated)
    with pytest.raises(CrmError, match="simulated/seed 7"):
        ingest(settings)


def test_a_clock_that_went_back_is_told(sqlite_store: Engine, tmp_path: Path) -> None:
    settings = settings_of(sqlite_store, tmp_path / "home")
    ingest(settings)
    newest = completed_loads(settings.lake)[-1]
    record_load(settings.lake, Load(**{**vars(newest), "load_id": "4102444800.000001"}))
    add(sqlite_store, "contacts", contact(1))
    with pytest.raises(CrmError, match="clock"):
        ingest(settings)
