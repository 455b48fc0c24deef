"""An import that was killed half-way is simply run again; two at once do not harm each other."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from benchmarks.imports import write_calls
from core.database import make_engine
from core.settings import Settings
from ingestion.imports.mapping_file import load_mapping
from ingestion.imports.run import Summary, import_file

MAPPING = Path(__file__).parents[2] / "ingestion" / "mappings" / "bank_calls.yml"
TABLES = ("contacts", "calls", "queue_visits", "call_segments", "customers", "import_rejects")
_PROGRAM = """
import sys
from pathlib import Path
from core.database import make_engine
from core.settings import Settings
from ingestion.imports.mapping_file import load_mapping
from ingestion.imports.run import import_file
mapping = load_mapping(Path(sys.argv[1]))
engine, home, file, size = make_engine(url=sys.argv[2]), sys.argv[3], Path(sys.argv[4]), int(sys.argv[5])
import_file(engine, Settings(home=home), mapping, file, batch_size=size)
"""


def _counts(store: Engine) -> dict[str, int]:
    with store.connect() as connection:
        return {name: int(connection.execute(text(f"SELECT COUNT(*) FROM {name}")).scalar_one()) for name in TABLES}


def _start(store: Engine, home: Settings, file: Path, batch: int = 100) -> "subprocess.Popen[bytes]":
    url = store.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", _PROGRAM, str(MAPPING), url, str(home.home), str(file), str(batch)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})


def _import(store: Engine, home: Settings, file: Path) -> Summary:
    return import_file(store, home, load_mapping(MAPPING), file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A made-up file of the bank's shape."""
    path = tmp_path / "calls.csv"
    write_calls(path, 6_000)
    return path


def test_a_killed_import_is_finished_by_the_next(store: Engine, home: Settings, file: Path, tmp_path: Path) -> None:
    process = _start(store, home, file)
    deadline = time.monotonic() + 240
    while _counts(store)["contacts"] < 500 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = _counts(store)
    assert 0 < before["contacts"] < 5_900

    summary = _import(store, home, file)
    assert summary.read == 6_000
    assert summary.already_there == before["contacts"]
    assert summary.loaded + summary.already_there + summary.rejected == 6_000
    after = _counts(store)
    assert after["contacts"] == after["calls"] == summary.loaded + summary.already_there
    assert after["import_rejects"] == summary.rejected
    assert not list(home.rejected.glob(".*"))

    again = _import(store, home, file)
    assert (again.loaded, _counts(store)) == (0, after)


@pytest.mark.postgresql
def test_two_imports_at_once_give_each_row_once(postgresql_url: str, home: Settings, file: Path) -> None:
    # SQLite has one writer anyway; here only the import's own lock keeps the two apart.
    store = make_engine(url=postgresql_url)
    both = [_start(store, home, file, 1_000), _start(store, home, file, 1_000)]
    assert [process.wait(timeout=240) for process in both] == [0, 0]
    after = _counts(store)
    assert after["contacts"] + after["import_rejects"] == 6_000
    assert _import(store, home, file).loaded == 0


def test_another_file_of_the_banks_shape_imports(sqlite_url: str, home: Settings, file: Path) -> None:
    store = make_engine(url=sqlite_url)
    summary = _import(store, home, file)
    assert set(summary.reasons) == {"phantom: not a real call"}
    assert summary.loaded + summary.rejected == 6_000
