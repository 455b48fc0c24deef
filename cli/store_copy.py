"""Copies of the operational store: SQLite by its online backup, PostgreSQL by pg_dump of one snapshot."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, MetaData, Table, create_engine, func, inspect, make_url, select, text

from core.database import make_engine
from core.errors import BadInputError, ConfigurationError, CrmError
from core.settings import Settings
from core.time import utc_now

_DEBIAN = Path("/usr/lib/postgresql")
#: What the store is called in an archive.
FILES = {"sqlite": "store/crm.sqlite", "postgresql": "store/crm.dump"}


def program(name: str) -> str:
    """The newest of PostgreSQL's programs of this name that this machine has.

    Raises:
        ConfigurationError: there is none.
    """
    versions = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    found = str(versions[-1]) if versions else shutil.which(name)
    if not found:
        raise ConfigurationError(f"{name} is not installed.", "Install the package postgresql-client.")
    return found


def copy_store(engine: Engine, folder: Path) -> tuple[Path, dict[str, int]]:
    """A consistent copy of the store while others write to it.

    Args:
        engine: of the store.
        folder: where the copy is written.

    Returns:
        The copy's file, and the rows of every table in it.
    """
    file = folder / Path(FILES[engine.dialect.name]).name
    if engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(engine.url.database or "")) as source, closing(sqlite3.connect(file)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        copied = create_engine(f"sqlite:///{file}")
        with copied.connect() as connection:
            rows = row_counts(connection)
        copied.dispose()
        return file, rows
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        snapshot = str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())
        _run("pg_dump", engine.url, "--format=custom", "--no-owner", "--no-privileges",
             f"--snapshot={snapshot}", f"--file={file}")  # fmt: skip
        return file, row_counts(connection)


def row_counts(connection: Connection) -> dict[str, int]:
    """Rows of each table that the connection sees."""
    names = sorted(inspect(connection).get_table_names())
    counted = {name: select(func.count()).select_from(Table(name, MetaData())) for name in names}
    return {name: int(connection.execute(query).scalar_one()) for name, query in counted.items()}


def is_empty(engine: Engine) -> bool:
    """Whether the store has no table yet."""
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists():
        return True
    with engine.connect() as connection:
        return not inspect(connection).get_table_names()


def put_store(engine: Engine, file: Path) -> None:
    """Make the store what the copy holds; what it held before goes.

    Raises:
        CrmError: pg_restore refused; the store is empty then.
    """
    if engine.dialect.name == "sqlite":
        target = Path(engine.url.database or "")
        engine.dispose()
        target.parent.mkdir(parents=True, exist_ok=True)
        for beside in ("-wal", "-shm"):
            target.with_name(target.name + beside).unlink(missing_ok=True)
        shutil.move(file, target)
        return
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    _run("pg_restore", engine.url, "--clean", "--if-exists", "--no-owner", "--no-privileges",
         "--single-transaction", str(file))  # fmt: skip


@contextmanager
def spare_store(settings: Settings, home: Path) -> Iterator[Settings]:
    """Settings whose store is an empty one of the same kind, for a drill; it is removed at the end.

    Raises:
        CrmError: PostgreSQL's role may not create databases.
    """
    if not settings.database_url.startswith("postgresql"):
        yield Settings(home=home, database_url="")
        return
    url = make_url(settings.database_url)
    name = f"crm_drill_{utc_now():%Y%m%d%H%M%S}_{os.getpid()}"
    with _administrator(url) as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield Settings(home=home, database_url=url.set(database=name).render_as_string(hide_password=False))
    finally:
        with _administrator(url) as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


@contextmanager
def _administrator(url: URL) -> Iterator[Connection]:
    from sqlalchemy.exc import DBAPIError

    engine = make_engine(url=url.render_as_string(hide_password=False)).execution_options(isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise CrmError(
            f"The drill's database could not be made or removed: {reason}",
            f"Let the role create databases: ALTER ROLE {url.username} CREATEDB.",
        ) from error
    finally:
        engine.dispose()


def _run(name: str, url: URL, *arguments: str) -> None:
    """Run one of PostgreSQL's programs; the password goes through its environment, not its arguments."""
    plain = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    command = [program(name), f"--dbname={plain}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        told = done.stderr.strip().splitlines()[:3]
        mend = (
            "pg_dump must not be older than the server." if "version" in done.stderr else "Mend that, then try again."
        )
        raise CrmError(f"{name} failed: {' '.join(told)}", mend)


def require_same_kind(engine: Engine, archive: Path, kind: str) -> None:
    """BadInputError unless the archive's store is of the engine's kind."""
    if engine.dialect.name != kind:
        raise BadInputError(
            f"{archive} holds a {kind} store; this installation's is {engine.dialect.name}.",
            "Name a store of that kind in CRM_DATABASE_URL (empty: SQLite).",
        )
