"""Writers at work while loads run: nothing committed is missed, no child arrives without its parent."""

from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Engine, insert, select, update

from core.database import make_engine
from core.lake import completed_loads
from core.settings import Settings
from ingestion.load import ingest
from tests.ingestion.loads import START, add, assert_lake_equals_store, contact, current, settings_of, table


@pytest.fixture
def settings(store: Engine, tmp_path: Path) -> Settings:
    return settings_of(store, tmp_path / "home")


def test_a_transaction_held_open_across_a_load_arrives_in_the_next(store: Engine, settings: Settings) -> None:
    ingest(settings)
    with store.connect() as slow, slow.begin() as transaction:
        slow.execute(insert(table("contacts")).values(contact(1)))
        if store.dialect.name == "postgresql":
            # Others commit later versions meanwhile: a cursor at the highest version would skip the slow row.
            add(store, "contacts", contact(2))
            assert ingest(settings).rows == {"contacts": 1}
        assert ingest(settings).load_id is None
        transaction.commit()
    assert ingest(settings).rows == {"contacts": 1}
    assert_lake_equals_store(store, settings.lake)


@pytest.mark.postgresql
def test_an_open_transaction_does_not_make_loads_repeat_themselves(postgresql_url: str, tmp_path: Path) -> None:
    store = make_engine(url=postgresql_url)
    settings = settings_of(store, tmp_path / "home")
    with store.connect() as slow:
        # Ends without a commit: it never was.
        slow.execute(insert(table("contacts")).values(contact(0)))
        ingest(settings)
        for number in (1, 2):
            add(store, "contacts", contact(number))
            assert ingest(settings).rows == {"contacts": 1}
        loads = completed_loads(settings.lake)
        assert loads[-1].cursor == loads[0].cursor, "xmin stays at the open transaction"
    assert ingest(settings).load_id is None
    assert_lake_equals_store(store, settings.lake)
    store.dispose()


@pytest.mark.postgresql
def test_the_last_commit_wins_even_with_a_lower_version(postgresql_url: str, tmp_path: Path) -> None:
    store = make_engine(url=postgresql_url)
    settings = settings_of(store, tmp_path / "home")
    add(store, "contacts", contact(1))
    with store.connect() as early, early.begin() as transaction:
        early.execute(insert(table("contacts")).values(contact(2)))
        with store.begin() as late:
            late.execute(update(table("contacts")).values(data_flag="late number, first commit"))
        ingest(settings)
        early.execute(update(table("contacts")).values(data_flag="early number, last commit"))
        transaction.commit()
    ingest(settings)
    assert {row["data_flag"] for row in current(settings.lake, "contacts").values()} == {"early number, last commit"}
    assert_lake_equals_store(store, settings.lake)
    store.dispose()


def _write(store: Engine, stop: Event, numbers: "count[int]") -> None:
    """Contacts, then their calls in a later transaction, then a change of the contact."""
    while not stop.wait(0.01):
        number = next(numbers)
        with store.begin() as connection:
            key = connection.execute(insert(table("contacts")).values(contact(number))).inserted_primary_key[0]
        call = {"contact_id": key, "started_at": START, "ended_at": START + timedelta(seconds=number)}
        add(store, "calls", call)
        with store.begin() as connection:
            connection.execute(update(table("contacts")).where(table("contacts").c.id == key).values(data_flag="x"))


def test_no_load_has_a_child_without_its_parent(store: Engine, settings: Settings) -> None:
    stop, numbers = Event(), count()
    writers = [Thread(target=_write, args=(store, stop, numbers)) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(3):
            ingest(settings)
            calls, contacts = current(settings.lake, "calls"), current(settings.lake, "contacts")
            assert not {row["contact_id"] for row in calls.values()} - set(contacts)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    ingest(settings)
    with store.connect() as connection:
        written = len(connection.execute(select(table("calls").c.id)).all())
    assert len(current(settings.lake, "calls")) == written > 10
    assert_lake_equals_store(store, settings.lake)
