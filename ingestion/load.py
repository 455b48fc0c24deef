"""One load of the operational store into the lake, restartable at every step.

The order that makes it safe: dlt commits rows and cursor as one package, the ledger entry comes last, and every load
first finishes what an ended one left behind.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter

from sqlalchemy import Engine

import crm_api.models  # noqa: F401 - registers every table
from core.database import make_engine
from core.errors import CrmError
from core.lake import Load, ensure_schemas, newest_load
from core.settings import Settings, get_settings
from core.time import utc_now
from crm_api.base import captured_tables
from crm_api.store import require_ready, store_errors
from ingestion.ledger import enter, repair
from ingestion.reader import Request
from ingestion.snapshot import Position, StoreState, anything_unseen, store_state
from ingestion.source import Snapshot, start_reader

#: Told after each batch: table, rows of it.
Report = Callable[[str, int], None]


@dataclass(frozen=True)
class IngestResult:
    """What a load did.

    Args:
        load_id: the new load; None: there was nothing new.
        rows: rows delivered per lake table.
        seconds: how long it took.
        epoch: epoch of the lake's newest load (0: the lake is empty).
        recovered: loads that an ended process left behind and that are complete now.
    """

    load_id: str | None
    rows: dict[str, int]
    seconds: float
    epoch: int
    recovered: list[str] = field(default_factory=list)


def _silent(_table: str, _rows: int) -> None:
    return None


def ingest(settings: Settings | None = None, *, count_all: bool = False, report: Report = _silent) -> IngestResult:
    """Carry every row version that is new in the store into the lake, as one load.

    Args:
        settings: the installation; default: this process's.
        count_all: also count the rows of large tables for the ledger.
        report: called with (table, rows) after each batch.

    Raises:
        StoreUnavailableError: the store is missing, locked, not migrated or stopped answering.
        CrmError: another load runs, or the lake cannot be written; readers see the lake as it was.
    """
    settings = settings or get_settings()
    began = perf_counter()
    engine = make_engine(settings)
    try:
        require_ready(engine)
        with only_load(settings):
            done = _ingest(settings, engine, count_all, report)
    except OSError as error:
        raise CrmError(
            f"The lake cannot be written: {error}", "Make room or grant access, then run: crm ingest"
        ) from error
    finally:
        engine.dispose()
    return replace(done, seconds=perf_counter() - began)


class LakeBusyError(CrmError):
    """Another process is loading."""

    can_pass = True


@contextmanager
def only_load(settings: Settings) -> Iterator[None]:
    """Keep loads away from the lake; CrmError if one runs."""
    path = settings.home / "ingest" / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LakeBusyError(
                "Another load of this lake is running.", "Wait for it to end, then run: crm ingest"
            ) from error
        yield


def _look(engine: Engine, since: Load | None) -> tuple[StoreState, bool]:
    """Who the store is, and whether it has anything that the load `since` has not seen."""
    with store_errors(engine), engine.connect() as connection:
        state = store_state(connection)
        return state, anything_unseen(connection, captured_tables(), _position(since, state))


def _position(since: Load | None, state: StoreState) -> Position | None:
    """Where to go on after `since`; None: from the beginning, since there was none or it was of another store."""
    if since is None or not since.snapshot:
        return None
    position = Position.parse(since.snapshot)
    return position if state.continues(since.store_id, position) else None


def _ingest(settings: Settings, engine: Engine, count_all: bool, report: Report) -> IngestResult:
    ensure_schemas(settings.lake, captured_tables())
    unfinished = settings.home / "ingest" / "unfinished"
    newest = newest_load(settings.lake)
    _require_of_a_store(newest)
    _, news = _look(engine, newest)
    if not unfinished.exists() and not news:
        return _nothing(newest, [])
    unfinished.touch()
    with start_reader() as take_snapshot:
        result = _carry(settings, engine, take_snapshot, count_all, report)
    unfinished.unlink()
    return result


def _nothing(newest: Load | None, recovered: list[str]) -> IngestResult:
    return IngestResult(None, {}, 0.0, newest.epoch if newest else 0, recovered)


def _carry(
    settings: Settings, engine: Engine, take_snapshot: Callable[[Request], Snapshot], count_all: bool, report: Report
) -> IngestResult:
    # dlt takes a while to import and a load without news does not need it.
    from ingestion import lake_pipeline as lake

    pipeline = lake.open_pipeline(settings)
    lake.finish_pending(pipeline)
    recovered = repair(settings.lake, lake.loads_in_lake(settings.lake))
    newest, kept = newest_load(settings.lake), lake.last_load(pipeline)
    # The ledger and dlt's state tell the same story, unless one of them was lost or brought back from a backup.
    agreed = newest if newest and kept and newest.load_id == kept.load_id else None
    state, news = _look(engine, agreed)
    if not news:
        return _nothing(newest, recovered)
    engine.dispose()
    _require_later(newest)
    since = _position(agreed, state)
    known = newest.store_rows if newest and since else {}
    epoch = max((load.epoch for load in (newest, kept) if load), default=0) + (0 if since else 1)
    follows = newest.load_id if newest and since else ""
    address = engine.url.render_as_string(hide_password=False)
    snapshot = take_snapshot(Request(address, since, known, count_all))
    load = lake.deliver(pipeline, snapshot, epoch, follows, report)
    enter(settings.lake, load)
    return IngestResult(load.load_id, load.rows, 0.0, load.epoch, recovered)


def _require_of_a_store(newest: Load | None) -> None:
    """A load starts a new epoch after one of another store: what was simulated straight into the lake would be lost."""
    if newest and newest.store_id.split("/")[0] not in ("sqlite", "postgresql"):
        raise CrmError(
            f"This lake was filled without an operational store (its newest load comes from {newest.store_id!r}).",
            "Build and publish it as it is, or give the store another CRM_HOME.",
        )


def _require_later(newest: Load | None) -> None:
    """Loads are ordered by their ids, which are times: a clock that went back would hide the new rows."""
    if newest and utc_now().timestamp() <= float(newest.load_id):
        raise CrmError(
            f"This machine's clock ({utc_now():%Y-%m-%d %H:%M:%S} UTC) is behind the newest load ({newest.load_id}).",
            "Set the clock right, then run: crm ingest",
        )
