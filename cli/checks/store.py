"""The operational store: reachable, migrated, writable; how old its oldest open transaction is."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from cli.checks import Check, ago
from core.database import make_engine
from core.errors import StoreUnavailableError
from crm_api.store import require_ready

#: Ingestion waits for nothing, but reads again everything since the oldest open transaction began.
OLD_TRANSACTION, STUCK_TRANSACTION = timedelta(hours=1), timedelta(hours=12)

_OLDEST = text(
    """
    SELECT extract(epoch FROM clock_timestamp() - since)::float8 AS seconds, who
    FROM (
        SELECT xact_start AS since, 'process ' || pid || ' of ' || coalesce(usename, '?') || ' (' || state || ')' AS who
        FROM pg_stat_activity
        WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
        UNION ALL
        SELECT prepared, 'prepared transaction ' || gid FROM pg_prepared_xacts WHERE database = current_database()
    ) AS open
    ORDER BY since
    LIMIT 1
    """
)


def checks() -> Iterator[Check]:
    """Reachable and migrated; then locks or open transactions, by the kind of store."""
    engine = make_engine()
    try:
        shown = engine.url.render_as_string(hide_password=True)
        try:
            require_ready(engine)
        except StoreUnavailableError as error:
            yield Check("store", "problem", error.message, error.mend)
            return
        yield Check("store", "ok", f"{shown} answers and is migrated")
        yield lock(engine) if engine.dialect.name == "sqlite" else oldest_transaction(engine)
    finally:
        engine.dispose()


def lock(engine: Engine) -> Check:
    """Whether somebody holds SQLite's write lock."""
    with engine.connect() as connection:
        raw = connection.connection.cursor()
        try:
            raw.execute("PRAGMA busy_timeout = 200")
            raw.execute("BEGIN IMMEDIATE")
            raw.execute("ROLLBACK")
        except (OperationalError, engine.dialect.loaded_dbapi.OperationalError) as error:
            return Check(
                "store lock",
                "warning",
                f"another process is writing to the store ({error})",
                "Normal while something simulates or imports; if nothing does, find the process that holds the file.",
            )
        finally:
            raw.close()
    return Check("store lock", "ok", "nobody holds the write lock")


def oldest_transaction(engine: Engine) -> Check:
    """The oldest open transaction on PostgreSQL: ingestion re-reads everything since it began."""
    with engine.connect() as connection:
        row = connection.execute(_OLDEST).one_or_none()
    if row is None:
        return Check("oldest transaction", "ok", "none is open")
    age = timedelta(seconds=row.seconds)
    detail = f"open for {ago(age)}: {row.who}"
    mend = "End it (commit, or pg_terminate_backend): until then each load reads again all that changed since."
    if age >= STUCK_TRANSACTION:
        return Check("oldest transaction", "problem", detail, mend)
    if age >= OLD_TRANSACTION:
        return Check("oldest transaction", "warning", detail, mend)
    return Check("oldest transaction", "ok", detail)
