"""Engine and session factories, and the column types that behave the same on SQLite and PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, BigInteger, DateTime, Dialect, Engine, Integer, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.types import TypeDecorator

from core.errors import ConfigurationError
from core.settings import Settings, get_settings
from core.time import require_aware

#: 64-bit key; SQLite gives automatic numbers only to INTEGER.
Key = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: timestamptz on PostgreSQL, `YYYY-MM-DD HH:MM:SS.ffffff` UTC on SQLite; naive ones are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; SQLite stores it without a zone."""
        if value is None:
            return None
        utc = require_aware(value)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Back to an aware UTC instant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _tune_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA busy_timeout = 5000")
    cursor.close()


def _known_url(text: str) -> URL:
    try:
        target = make_url(text)
    except ArgumentError as error:
        raise ConfigurationError(
            "CRM_DATABASE_URL is not a database URL.",
            "Write postgresql://user@host/name, or leave it empty for SQLite.",
        ) from error
    if target.get_backend_name() not in ("sqlite", "postgresql"):
        raise ConfigurationError(
            f"CRM_DATABASE_URL names {target.get_backend_name()!r}; the store is SQLite or PostgreSQL.",
            "Write postgresql://user@host/name, or leave it empty for SQLite.",
        )
    return target


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"The store's folder {folder} cannot be made: {error}.", "Mend CRM_HOME.") from error


def make_engine(settings: Settings | None = None, *, url: str | None = None, connections: int | None = None) -> Engine:
    """An engine of the operational store; SQLite's folder is made, its pragmas are set.

    `connections` is how many may be open at once (a server that works on more requests than that would stop for good).
    """
    target = _known_url(url or (settings or get_settings()).store_url)
    # All are kept once opened, the last used first: opening one in the middle of an overload costs most.
    pool: dict[str, Any] = {"pool_size": connections, "max_overflow": 0, "pool_use_lifo": True} if connections else {}
    if target.get_backend_name() == "postgresql":
        target = target.set(drivername="postgresql+psycopg")
        return create_engine(target, pool_pre_ping=True, **pool)
    if target.database and target.database != ":memory:":
        _make_folder(Path(target.database).parent)
    engine = create_engine(target, **pool)
    event.listen(engine, "connect", _tune_sqlite)
    return engine


@contextmanager
def session_scope(engine: Engine) -> Iterator[Session]:
    """One transaction: committed at the end, rolled back on any error."""
    with sessionmaker(engine, expire_on_commit=False)() as session, session.begin():
        yield session
