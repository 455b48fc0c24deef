"""One listener to the live bus a process, handing what it hears to every open browser."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from crm_api.bus.service import listen

Message = tuple[int, str, dict[str, Any]]
#: A browser that reads slower than this many messages misses some; its page reads itself anew anyway.
_BACKLOG = 200
_AGAIN_SECONDS = 2.0


class Hub:
    """Listens in a thread while anybody is subscribed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._queues: dict[asyncio.Queue[Message], asyncio.AbstractEventLoop] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def subscribed(self) -> Iterator[asyncio.Queue[Message]]:
        """A queue that gets every message from now on; call it within a running event loop."""
        queue: asyncio.Queue[Message] = asyncio.Queue(_BACKLOG)
        with self._lock:
            self._queues[queue] = asyncio.get_running_loop()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="capture-hub", daemon=True)
                self._thread.start()
        try:
            yield queue
        finally:
            with self._lock:
                self._queues.pop(queue, None)

    def _run(self) -> None:
        wait = threading.Event()
        while True:
            try:
                for message in listen(self._engine):
                    if self._left():
                        return
                    if message is not None:
                        self._hand_out(message)
            except OperationalError:
                # The store is away: browsers stay connected and hear again once it is back.
                if self._left():
                    return
                wait.wait(_AGAIN_SECONDS)

    def _left(self) -> bool:
        """Whether nobody listens any more; then the thread is let go."""
        with self._lock:
            if self._queues:
                return False
            self._thread = None
            return True

    def _hand_out(self, message: Message) -> None:
        with self._lock:
            targets = list(self._queues.items())
        for queue, loop in targets:
            loop.call_soon_threadsafe(_offer, queue, message)


def _offer(queue: "asyncio.Queue[Message]", message: Message) -> None:
    if not queue.full():
        queue.put_nowait(message)


_HUBS: WeakKeyDictionary[Engine, Hub] = WeakKeyDictionary()
_HUBS_LOCK = threading.Lock()


def hub_of(engine: Engine) -> Hub:
    """The hub of a store in this process."""
    with _HUBS_LOCK:
        return _HUBS.setdefault(engine, Hub(engine))
