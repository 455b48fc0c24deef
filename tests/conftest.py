"""Fixtures that every test may use: a fresh home, and a migrated store on SQLite and on PostgreSQL."""

import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine

from core.database import make_engine, session_scope
from core.settings import Settings, get_settings
from crm_api.identity import passwords
from crm_api.reference.service import load_reference
from crm_api.store import migrate
from tests import order
from tests.browser import open_chromium
from tests.servers import copy_database, drop_database, missing, postgresql_cluster

_numbers = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long first."""
    items.sort(key=lambda item: order.place(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> order.Together | None:
    """Files stay whole and in our order (--dist loadfile)."""
    if config.option.dist != "loadfile":
        return None
    config.option.loadscopereorder = False
    return order.Together(config, log)


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[PasswordHasher]:
    """Argon2 with its smallest parameters: tests make many people and sign in often (gives the real one)."""
    real = passwords.HASHER
    passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yield real
    passwords.HASHER = real


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings whose CRM_HOME is a fresh folder and whose store is SQLite in it."""
    monkeypatch.setenv("CRM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CRM_DATABASE_URL", raising=False)
    # The pages ask a CRM who looks, but where a test starts one.
    monkeypatch.setenv("CRM_DASHBOARD_SCOPE", "province")
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


def _prepare(url: str) -> None:
    engine = make_engine(url=url)
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite store with reference data, to be copied."""
    path = tmp_path_factory.mktemp("template") / "crm.sqlite"
    _prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a private PostgreSQL cluster whose database `template_crm` is a migrated store."""
    with postgresql_cluster() as url:
        _prepare(copy_database(url, "template0", "template_crm"))
        yield url


@pytest.fixture
def postgresql_url(postgresql: str) -> Iterator[str]:
    """URL of a fresh PostgreSQL store, migrated, with reference data; dropped after the test."""
    own = copy_database(postgresql, "template_crm", f"crm_{next(_numbers)}")
    yield own
    drop_database(own)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a fresh SQLite store, migrated, with reference data."""
    path = tmp_path / "store" / "crm.sqlite"
    path.parent.mkdir()
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine of a fresh store; each test that takes it runs on SQLite and on PostgreSQL."""
    engine = make_engine(url=request.getfixturevalue(f"{request.param}_url"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium with a fresh profile, for the tests of one file."""
    with open_chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real records; a loud skip where it is absent."""
    path = Path(os.environ.get("CRM_REAL_DATA", Path(__file__).parents[2] / "shared" / "data" / "real"))
    if not path.is_dir():
        missing("The folder of real records", "name it in CRM_REAL_DATA")
    return path
