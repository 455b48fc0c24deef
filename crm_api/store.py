"""Bringing the operational store up to date, and refusing politely where it is missing or locked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, column, table, update
from sqlalchemy.exc import OperationalError

import crm_api.models  # noqa: F401 - every table, so that foreign keys resolve wherever a store is opened
from core.errors import StoreUnavailableError

_IDENTITY = table("store_identity", column("id"), column("restore_number"))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def migrate(engine: Engine) -> None:
    """Create or upgrade the store's tables to the newest revision; repeating it changes nothing."""
    with store_errors(engine), engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require_ready(engine: Engine) -> None:
    """StoreUnavailableError unless the store exists, answers and is at the newest revision."""
    if engine.dialect.name == "sqlite":
        path = engine.url.database
        if path and path != ":memory:" and not Path(path).exists():
            raise StoreUnavailableError(f"There is no operational store at {path}.", "Create it with: crm init")
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    with store_errors(engine), engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current != newest:
        raise StoreUnavailableError(
            f"The operational store is at revision {current or 'none'}; this program needs {newest}.",
            "Bring it up to date with: crm init",
        )


def knows_revision(revision: str) -> bool:
    """Whether this program's migrations lead from `revision` to the newest one."""
    try:
        return ScriptDirectory.from_config(_config()).get_revision(revision) is not None
    except CommandError:
        return False


def mark_restored(engine: Engine) -> None:
    """Tell ingestion that the store's content went back in time: the next load takes everything anew.

    Call it after a backup was restored, before anybody writes.
    """
    with store_errors(engine), engine.begin() as connection:
        connection.execute(update(_IDENTITY).values(restore_number=_IDENTITY.c.restore_number + 1))


@contextmanager
def store_errors(engine: Engine) -> Iterator[None]:
    """Turn the driver's connection and lock errors into one that says what to do."""
    try:
        yield
    except OperationalError as error:
        shown = engine.url.render_as_string(hide_password=True)
        reason = str(error.orig).strip().splitlines()[0]
        mend = (
            "Another process is writing to it: wait for it to end, then try again."
            if "locked" in reason
            else "Check CRM_DATABASE_URL or CRM_HOME and that the server runs."
        )
        raise StoreUnavailableError(f"The operational store {shown} does not answer: {reason}", mend) from error
