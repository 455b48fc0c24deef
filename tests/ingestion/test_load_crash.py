"""A load may end anywhere: readers see whole loads only, and the next call finishes what was begun."""

import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from dlt import Pipeline
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient, FilesystemLoadJob
from dlt.extract.storage import ExtractStorage
from sqlalchemy import Engine, text

import core.lake
import ingestion.load
from core.database import make_engine
from core.errors import CrmError, StoreUnavailableError
from core.lake import completed_loads
from core.settings import Settings
from ingestion import lake_pipeline
from ingestion.load import ingest
from tests.ingestion.loads import add, assert_lake_equals_store, contact, current, settings_of


def die(*_arguments: object, **_named: object) -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: Any, name: str) -> Callable[[], None]:
    return lambda: setattr(owner, name, die)


def _after(owner: Any, name: str) -> Callable[[], None]:
    def patch() -> None:
        real = getattr(owner, name)

        def then_die(*arguments: Any, **named: Any) -> None:
            real(*arguments, **named)
            die()

        setattr(owner, name, then_die)

    return patch


def _half_a_file() -> None:
    """One file arrives, the next is cut off half-way."""
    real = FilesystemLoadJob.run
    done: list[str] = []

    def run(job: FilesystemLoadJob) -> None:
        real(job)
        done.append(job.make_remote_path())
        if len(done) == 2:
            whole = Path(done[1]).read_bytes()
            Path(done[1]).write_bytes(whole[: len(whole) // 2])
            die()

    FilesystemLoadJob.run = run


def _half_a_note() -> None:
    """dlt's own note of the state is cut off half-way."""

    def write(_client: FilesystemClient, path: str, _content: object) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text('{"version": 1, "sta', encoding="utf-8")
        die()

    FilesystemClient._write_to_json_file = write


#: Where the process ends -> what makes it end there.
KILLS: dict[str, Callable[[], None]] = {
    "before anything is read": _before(ingestion.load, "_carry"),
    "before the reader starts": _before(lake_pipeline, "deliver"),
    "while rows stream": _before(lake_pipeline, "personal_values"),
    "package not committed": _before(ExtractStorage, "commit_new_load_package"),
    "package committed, state not saved": _after(ExtractStorage, "commit_new_load_package"),
    "extracted, not normalised": _before(Pipeline, "normalize"),
    "normalised, not loaded": _before(Pipeline, "load"),
    "half the files copied": _half_a_file,
    "all files copied, no note": _before(FilesystemClient, "complete_load"),
    "the note half written": _half_a_note,
    "state noted, load not": _before(FilesystemClient, "_store_load"),
    "loaded, no ledger": _before(ingestion.load, "enter"),
    "ledger entry not in its place": _before(core.lake, "write_atomically"),
    "everything done but the last line": _after(ingestion.load, "_carry"),
}
#: The points that `make test` takes; CRM_TEST_FULL=1 takes all.
SHORT = (
    "while rows stream",
    "package committed, state not saved",
    "extracted, not normalised",
    "half the files copied",
    "the note half written",
    "loaded, no ledger",
)


def in_a_fork(action: Callable[[], object]) -> int | None:
    """Run `action` in a copy of this process; how it ended."""
    process = get_context("fork").Process(target=action)
    process.start()
    process.join(240)
    return process.exitcode


def killed(settings: Settings, kill: Callable[[], None]) -> None:
    """Run a load that ends where `kill` says."""

    def run() -> None:
        kill()
        ingest(settings)

    assert in_a_fork(run) == -signal.SIGKILL


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Engine]:
    store = make_engine(url=sqlite_url)
    yield store
    store.dispose()


def _kill_and_finish(store: Engine, settings: Settings, point: str, number: int) -> None:
    before = current(settings.lake, "contacts") if completed_loads(settings.lake) else {}
    add(store, "contacts", contact(number, remote_address="+8613800000000"), contact(number + 1))
    killed(settings, KILLS[point])
    seen = current(settings.lake, "contacts") if completed_loads(settings.lake) else {}
    assert len(seen) in (len(before), len(before) + 2), point
    ingest(settings)
    assert_lake_equals_store(store, settings.lake)
    assert not (settings.home / "ingest" / "unfinished").exists()
    assert ingest(settings).load_id is None


def test_a_load_killed_at_any_step_is_finished_by_the_next(sqlite_store: Engine, tmp_path: Path) -> None:
    settings = settings_of(sqlite_store, tmp_path / "home")
    for number, point in enumerate(KILLS if os.environ.get("CRM_TEST_FULL") else SHORT):
        _kill_and_finish(sqlite_store, settings, point, number * 10)
    left = [path for path in (settings.home / "ingest").rglob("*.parquet*") if path.is_file()]
    assert not left, "half-extracted files are not kept"


@pytest.mark.postgresql
def test_a_killed_load_of_postgresql_is_finished_by_the_next(postgresql_url: str, tmp_path: Path) -> None:
    store = make_engine(url=postgresql_url)
    settings = settings_of(store, tmp_path / "home")
    for number, point in enumerate(("while rows stream", "loaded, no ledger")):
        _kill_and_finish(store, settings, point, number * 10)
    store.dispose()


@pytest.mark.parametrize("point", ["half the files copied", "loaded, no ledger"])
def test_losing_the_work_folder_too_loses_nothing(sqlite_store: Engine, tmp_path: Path, point: str) -> None:
    settings = settings_of(sqlite_store, tmp_path / "home")
    ingest(settings)
    add(sqlite_store, "contacts", contact(1, remote_address="+8613800000000"))
    killed(settings, KILLS[point])
    shutil.rmtree(settings.home / "ingest")
    add(sqlite_store, "contacts", contact(2))
    ingest(settings)
    assert_lake_equals_store(sqlite_store, settings.lake)
    assert {load.epoch for load in completed_loads(settings.lake)} == {1}


def test_the_cursor_comes_back_from_the_lake(sqlite_store: Engine, tmp_path: Path) -> None:
    settings = settings_of(sqlite_store, tmp_path / "home")
    ingest(settings)
    shutil.rmtree(settings.home / "ingest")
    add(sqlite_store, "contacts", contact(1))
    assert ingest(settings).rows == {"contacts": 1}


def test_a_lost_lake_is_filled_anew(sqlite_store: Engine, tmp_path: Path) -> None:
    settings = settings_of(sqlite_store, tmp_path / "home")
    ingest(settings)
    add(sqlite_store, "contacts", contact(1))
    killed(settings, KILLS["extracted, not normalised"])
    shutil.rmtree(settings.lake)
    assert ingest(settings).epoch == 2
    assert_lake_equals_store(sqlite_store, settings.lake)


def test_a_full_disk_leaves_the_lake_as_it_was(sqlite_store: Engine, tmp_path: Path) -> None:
    settings = settings_of(sqlite_store, tmp_path / "home")
    ingest(settings)
    add(sqlite_store, "contacts", *(contact(i, external_id=os.urandom(60).hex()) for i in range(3000)))
    before = {path: path.read_bytes() for path in settings.lake.rglob("*") if path.is_file()}

    def run() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        with pytest.raises(CrmError, match=r"not finished|cannot be written"):
            ingest(settings)

    assert in_a_fork(run) == 0
    assert {path: path.read_bytes() for path in settings.lake.rglob("*") if path.is_file()} == before
    ingest(settings)
    assert_lake_equals_store(sqlite_store, settings.lake)


@pytest.mark.postgresql
def test_a_server_that_breaks_off_is_told_and_nothing_is_loaded(postgresql_url: str, tmp_path: Path) -> None:
    store = make_engine(url=postgresql_url)
    settings = settings_of(store, tmp_path / "home")
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    killing = text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")

    def cut(_table: str, _rows: int) -> None:
        with store.connect() as connection:
            connection.execute(killing)

    with pytest.raises(StoreUnavailableError, match="Reading the operational store failed"):
        ingest(settings, report=cut)
    assert completed_loads(settings.lake) == []
    ingest(settings)
    assert_lake_equals_store(store, settings.lake)
    store.dispose()


def test_a_second_load_at_the_same_time_is_refused(sqlite_store: Engine, tmp_path: Path) -> None:
    settings = settings_of(sqlite_store, tmp_path / "home")
    refused = []

    def again(_table: str, _rows: int) -> None:
        with pytest.raises(CrmError, match="Another load"):
            ingest(settings)
        refused.append(True)

    assert ingest(settings, report=again).load_id
    assert refused
    assert_lake_equals_store(sqlite_store, settings.lake)
