"""The store as the IVR uses it: looked up within half a second or not at all, written to beside the call."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.database import session_scope
from core.errors import CrmError

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Pool, connection and statement together: a call waits no longer for the store.
LOOK_UP_SECONDS = 0.5
_WORKERS = 32
_RETRY_SECONDS = 1.0
_MOST_WAITING = 100_000

Work = Callable[[Session], object]


def impatient_engine(url: str, *, seconds: float = LOOK_UP_SECONDS) -> Engine:
    """An engine whose own time-outs end what `within` has given up, so that threads come back."""
    target = make_url(url)
    pool: dict[str, Any] = {"pool_size": _WORKERS, "max_overflow": 0, "pool_timeout": seconds}
    if target.get_backend_name() == "postgresql":
        milliseconds = max(int(seconds * 1000), 1)
        options = f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"
        arguments = {"connect_timeout": 2, "options": options, "tcp_user_timeout": 2000}
        return create_engine(target.set(drivername="postgresql+psycopg"), connect_args=arguments, **pool)
    engine = create_engine(target, connect_args={"timeout": seconds}, **pool)

    @event.listens_for(engine, "connect")
    def _only_read(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only = ON")

    return engine


class Lookups:
    """Runs short reads with a deadline; a store that hangs holds at most a few threads, never a call."""

    def __init__(self, engine: Engine, *, seconds: float = LOOK_UP_SECONDS) -> None:
        self._engine, self._seconds = engine, seconds
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="ivr-lookup")
        self._free = threading.Semaphore(_WORKERS)

    def within(self, read: Callable[[Session], T]) -> T | None:
        """What `read` returns; None if the store failed or took longer than the deadline."""
        end = time.monotonic() + self._seconds
        if not self._free.acquire(timeout=self._seconds):
            log.warning("The store hangs: every look-up thread waits for it")
            return None
        future = self._pool.submit(self._run, read)
        try:
            return future.result(max(end - time.monotonic(), 0))
        except FutureTimeoutError:
            log.warning("The store took longer than %.1f s", self._seconds)
        except (SQLAlchemyError, CrmError, OSError) as error:
            log.warning("The store does not answer: %s", error)
        return None

    def _run(self, read: Callable[[Session], T]) -> T:
        try:
            with Session(self._engine) as session:
                return read(session)
        finally:
            self._free.release()


class Writer:
    """Writes in a thread of its own, in order; what the store refuses for the moment is tried again until it takes it.

    A work that returns False has come too early and is put off; it is given up after `_PATIENCE` seconds.
    """

    _PATIENCE = 120.0

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._works: queue.Queue[tuple[float, Work] | None] = queue.Queue(_MOST_WAITING)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ivr-writer", daemon=True)
        self._thread.start()

    def put(self, work: Work) -> None:
        """Take a work; it runs in a transaction of its own. It may run twice: it must be repeatable."""
        try:
            self._works.put_nowait((time.monotonic(), work))
        except queue.Full:
            log.error("The store has been away too long: a caller's way through the IVR is lost")

    def close(self, *, seconds: float = 5.0) -> None:
        """Write what is waiting, for at most `seconds`, and end."""
        self._works.put(None)
        self._thread.join(seconds)
        self._stop.set()

    def _run(self) -> None:
        early: list[tuple[float, Work]] = []
        while not self._stop.is_set():
            try:
                one = self._works.get(timeout=_RETRY_SECONDS if early else None)
            except queue.Empty:
                early = [again for again in early if not self._do(*again)]
                continue
            if one is None:
                return
            if not self._do(*one):
                early.append(one)

    def _do(self, since: float, work: Work) -> bool:
        """Whether the work is done with."""
        while not self._stop.is_set():
            try:
                with session_scope(self._engine) as session:
                    is_early = work(session) is False
                return not is_early or time.monotonic() - since > self._PATIENCE
            except SQLAlchemyError as error:
                if not _is_passing(error):
                    log.exception("The IVR's record was refused")
                    return True
                self._stop.wait(_RETRY_SECONDS)
            except CrmError as error:
                log.warning("The IVR's record was refused: %s", error)
                return True
        return False


def _is_passing(error: SQLAlchemyError) -> bool:
    from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError

    return isinstance(error, OperationalError | InterfaceError | IntegrityError)
