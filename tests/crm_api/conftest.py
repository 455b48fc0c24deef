"""The application over a store with the demo's users and a small world: one customer of 宝鸡, one of 咸阳."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from core.actor import Actor
from core.database import make_engine, session_scope
from core.settings import get_settings
from crm_api.app import create_app
from crm_api.identity import sessions
from crm_api.identity.models import User
from crm_api.identity.secrets import csrf_token
from crm_api.identity.service import create_demo_users
from crm_api.web.dependencies import SESSION_COOKIE
from crm_api.web.settings import WebSettings
from tests.crm_api.world import World, build_world
from tests.servers import copy_database, drop_database

#: So generous that no test meets a limit by accident.
SETTINGS = WebSettings(requests_per_second=100_000, requests_burst=100_000)
Client = Callable[..., TestClient]
_numbers = count(1)


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Attached files lie in a folder of the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRM_HOME", str(tmp_path_factory.mktemp("home")))
        get_settings.cache_clear()
        yield
    get_settings.cache_clear()


def _populate(url: str) -> World:
    engine = make_engine(url=url)
    with session_scope(engine) as session:
        create_demo_users(session)
        world = build_world(session)
    engine.dispose()
    return world


@pytest.fixture(scope="session")
def populated_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """A SQLite store with the demo's users and the world, to be copied."""
    path = tmp_path_factory.mktemp("populated") / "crm.sqlite"
    shutil.copy(sqlite_template, path)
    return path, _populate(f"sqlite:///{path}")


@pytest.fixture
def sqlite_world(populated_sqlite: tuple[Path, World], tmp_path: Path) -> Iterator[tuple[Engine, World]]:
    """A fresh copy of the populated SQLite store."""
    path, world = populated_sqlite
    shutil.copy(path, tmp_path / "crm.sqlite")
    engine = make_engine(url=f"sqlite:///{tmp_path / 'crm.sqlite'}")
    yield engine, world
    engine.dispose()


@pytest.fixture(scope="session")
def populated_postgresql(postgresql: str) -> tuple[str, World]:
    """URL of a PostgreSQL store with the demo's users and the world, to be copied."""
    url = copy_database(postgresql, "template_crm", "template_world")
    return url, _populate(url)


@pytest.fixture
def postgresql_world(populated_postgresql: tuple[str, World]) -> Iterator[tuple[Engine, World]]:
    """A fresh copy of the populated PostgreSQL store."""
    url, world = populated_postgresql
    own = copy_database(url, "template_world", f"world_{next(_numbers)}")
    engine = make_engine(url=own)
    yield engine, world
    engine.dispose()
    drop_database(own)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def populated(request: pytest.FixtureRequest) -> tuple[Engine, World]:
    """A populated store; each test that takes it runs on SQLite and on PostgreSQL."""
    found: tuple[Engine, World] = request.getfixturevalue(f"{request.param}_world")
    return found


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def shared_world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, World]]:
    """A populated store for a module's tests that only read: a database of one's own is the dearest part of a test."""
    source, world = request.getfixturevalue(f"populated_{request.param}")
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("shared") / "crm.sqlite"
        shutil.copy(source, path)
        url = f"sqlite:///{path}"
    else:
        url = copy_database(source, "template_world", f"shared_{next(_numbers)}")
    engine = make_engine(url=url)
    yield engine, world
    engine.dispose()


def sign_in(client: TestClient, engine: Engine, username: str) -> TestClient:
    """Give `client` a session of the user, as the sign-in would (without its deliberate slowness)."""
    with session_scope(engine) as session:
        user = session.scalars(select(User).where(User.username == username)).one()
        token, _ = sessions.open_session(session, user, SETTINGS, address=None, user_agent=None)
    client.cookies.set(SESSION_COOKIE, token)
    client.headers["X-CSRF-Token"] = csrf_token(token)
    return client


def actor_named(engine: Engine, username: str) -> Actor:
    """The actor that a user is for services."""
    with session_scope(engine) as session:
        return sessions.actor_of(session.scalars(select(User).where(User.username == username)).one())


@pytest.fixture
def world(populated: tuple[Engine, World]) -> World:
    """Ids of the small world's rows."""
    return populated[1]


def _clients(engine: Engine) -> Client:
    app = create_app(engine, SETTINGS)

    def make(username: str | None = None) -> TestClient:
        browser = TestClient(app)
        return sign_in(browser, engine, username) if username else browser

    return make


@pytest.fixture
def client(populated: tuple[Engine, World]) -> Client:
    """`client("baoji_handler")` is a browser signed in as that user, `client()` a stranger; on both databases."""
    return _clients(populated[0])


@pytest.fixture
def web(sqlite_world: tuple[Engine, World]) -> Client:
    """The same on SQLite only, for what HTTP decides before any SQL does."""
    return _clients(sqlite_world[0])
