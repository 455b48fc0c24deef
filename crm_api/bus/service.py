"""Publishing to the live bus, within the transaction of what it tells about, and listening to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any

import psycopg
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.time import utc_now
from crm_api.bus.models import OutboxMessage

#: The PostgreSQL channel on which a commit rings.
CHANNEL = "crm_bus"
#: SQLite has nobody who rings: it is asked this often.
POLL_SECONDS = 0.05
#: How far back a message may appear late: transactions commit in another order than they took their numbers.
_LATE = 1000
KEEP = timedelta(hours=1)


def publish(session: Session, *, topic: str, payload: dict[str, Any], now: datetime | None = None) -> None:
    """Tell whoever listens, once the caller's transaction commits; nobody hears of one that rolls back."""
    session.add(OutboxMessage(topic=topic, payload=payload, created_at=now or utc_now()))
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_notify(CHANNEL, "")))


class Reader:
    """Reads the outbox forwards, each message once, from the moment it was made (or after a message's number)."""

    def __init__(self, engine: Engine, *, after: int | None = None) -> None:
        self._engine = engine
        newest = self._newest() if after is None else after
        self._newest_seen = newest
        # What was there at the start is not news, even if its number lies in the window of late ones.
        self._seen = {message_id for message_id, _, _ in self._rows(newest - _LATE) if message_id <= newest}

    def read(self) -> list[tuple[int, str, dict[str, Any]]]:
        """(number, topic, payload) of the messages that have appeared since."""
        fresh = [row for row in self._rows(self._newest_seen - _LATE) if row[0] not in self._seen]
        self._seen.update(row[0] for row in fresh)
        self._newest_seen = max([self._newest_seen, *(row[0] for row in fresh)])
        self._seen = {number for number in self._seen if number > self._newest_seen - _LATE}
        return fresh

    def _newest(self) -> int:
        with self._engine.connect() as connection:
            return connection.scalar(select(func.coalesce(func.max(OutboxMessage.id), 0))) or 0

    def _rows(self, after: int) -> list[tuple[int, str, dict[str, Any]]]:
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(OutboxMessage.id, OutboxMessage.topic, OutboxMessage.payload)
                .where(OutboxMessage.id > after)
                .order_by(OutboxMessage.id)
            )
            return [(row.id, row.topic, row.payload) for row in rows]


def listen(
    engine: Engine, *, after: int | None = None, seconds: float | None = None
) -> Iterator[tuple[int, str, dict[str, Any]] | None]:
    """Messages as they are committed, for ever or for `seconds`; None about once a second while nothing happens.

    Raises:
        OperationalError: SQLAlchemy's; the store went away.
    """
    until = None if seconds is None else monotonic() + seconds
    if engine.dialect.name == "postgresql":
        yield from _listen_postgresql(engine, after, until)
        return
    reader, quiet_since = Reader(engine, after=after), monotonic()
    while until is None or monotonic() < until:
        fresh = reader.read()
        yield from fresh
        if not fresh:
            sleep(POLL_SECONDS)
            if monotonic() - quiet_since > 1:
                yield None
        if fresh or monotonic() - quiet_since > 1:
            quiet_since = monotonic()


@contextmanager
def _as_of_the_engine() -> Iterator[None]:
    """A lost connection of our own is told as one of the engine's: who listens need know one kind only."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise OperationalError(f"LISTEN {CHANNEL}", None, error) from error


def _listen_postgresql(
    engine: Engine, after: int | None, until: float | None
) -> Iterator[tuple[int, str, dict[str, Any]] | None]:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with _as_of_the_engine(), psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        reader = Reader(engine, after=after)
        while until is None or monotonic() < until:
            fresh = reader.read()
            yield from fresh
            if fresh:
                continue
            rang = list(connection.notifies(timeout=1 if until is None else min(1, until - monotonic()), stop_after=1))
            if not rang:
                yield None


def sweep(session: Session, *, now: datetime | None = None) -> int:
    """Forget messages older than an hour; the number forgotten."""
    old = session.execute(delete(OutboxMessage).where(OutboxMessage.created_at < (now or utc_now()) - KEEP))
    return int(getattr(old, "rowcount", 0))
