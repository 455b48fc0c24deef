"""A manager connection that can be trusted: pyst2's Manager with its fourteen defects mended (docs/telephony.md).

What is inherited: the actions (login, ping, originate, command, redirect …). What is replaced: the transport, the
matching of replies, the dispatch of events, connecting again.
"""

import contextlib
import itertools
import logging
import os
import queue
import socket
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TypeVar

from asterisk import manager as pyst2

from telephony.ami_wire import Fields, Message, Splitter, encode, event_name

log = logging.getLogger(__name__)

T = TypeVar("T")

#: The event that callbacks get when the connection is gone; no name of Asterisk's begins with a dot.
CONNECTION_LOST = ".ConnectionLost"

Callback = Callable[[Message, "Manager"], object]


class ManagerTimeoutError(pyst2.ManagerException):
    """Asterisk did not answer an action in time."""


class _List:
    """A reply that comes as events: complete when Asterisk says so."""

    def __init__(self) -> None:
        self.events: list[Message] = []
        self.done: Future[list[Message]] = Future()


class Manager(pyst2.Manager):
    """One connection to Asterisk's manager interface; may be connected again after it was lost.

    Args:
        timeout: seconds that an action waits for its reply.
        events: names of the events to take; None takes all. Others are dropped before they are parsed.
    """

    def __init__(self, *, timeout: float = 5.0, events: Iterable[str] | None = None) -> None:
        self.title: str | None = None
        self.version: str | None = None
        self.hostname = socket.gethostname()
        self.timeout = timeout
        self._wanted = None if events is None else frozenset(name.encode() for name in events)
        self._connected = threading.Event()
        self._running = threading.Event()
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._replies: dict[str, Future[Message]] = {}
        self._lists: dict[str, _List] = {}
        self._event_callbacks: dict[str, list[Callback]] = {}
        self._raw: list[Callable[[bytes], None]] = []
        self._events: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._socket: socket.socket | None = None
        self._threads: list[threading.Thread] = []

    def __del__(self) -> None:
        """Nothing: a destructor must not send a logoff."""

    def connect(self, host: str, port: int = 5038) -> str:
        """Connect and wait for the greeting; returns it.

        Raises:
            ManagerSocketException: nobody listens, or no greeting in time.
        """
        if self._connected.is_set():
            raise pyst2.ManagerException("Already connected to manager")
        self.close()
        try:
            connection = socket.create_connection((host, port), timeout=self.timeout)
            splitter, greeting, early = Splitter(), None, []
            while greeting is None:
                data = connection.recv(65536)
                if not data:
                    raise ConnectionError("closed before the greeting")
                early += list(splitter.feed(data))
                greeting = splitter.greeting
        except OSError as error:
            raise pyst2.ManagerSocketException(error.errno or 0, str(error)) from error
        connection.settimeout(None)
        self.title, _, version = greeting.partition("/")
        self.version = version.strip()
        self._socket, self._events = connection, queue.SimpleQueue()
        self._connected.set()
        self._running.set()
        receive = threading.Thread(
            target=self._receive, args=(connection, splitter, early, self._events), name="ami-receive", daemon=True
        )
        dispatch = threading.Thread(target=self._dispatch, args=(self._events,), name="ami-dispatch", daemon=True)
        self._threads = [receive, dispatch]
        for thread in self._threads:
            thread.start()
        return greeting

    def connected(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return self._connected.is_set()

    def next_seq(self) -> int:
        """The next number of this process's actions."""
        return next(self._numbers)

    def send_action(self, cdict: Fields | None = None, **kwargs: str | int | list[str]) -> Message:
        """Send an action and wait for its own reply, whichever thread asks.

        Raises:
            BadInputError: a value has a line break.
            ManagerTimeoutError: no reply within `timeout` seconds.
            ManagerSocketException: the connection is gone.
        """
        return self._wait(self._send({**(cdict or {}), **kwargs}, None))

    def send_list(self, cdict: Fields) -> list[Message]:
        """Send an action whose answer is a list of events (QueueStatus …); the events, once all are there.

        Raises:
            ManagerException: Asterisk refused the action.
        """
        collected = _List()
        reply = self._wait(self._send(cdict, collected))
        if reply.get_header("Response") == "Error":
            collected.done.cancel()
            raise pyst2.ManagerException(reply.get_header("Message") or "refused")
        return self._wait(collected.done)

    def register_event(self, event: str, function: Callback) -> None:
        """Call `function(event, manager)` for each event of that name ('*': all, after the named ones)."""
        self._event_callbacks.setdefault(event, []).append(function)

    def register_raw(self, function: Callable[[bytes], None]) -> None:
        """Call `function(frame)` in the receiving thread for each wanted event, unparsed: for a journal."""
        self._raw.append(function)

    def unregister_event(self, event: str, function: Callback) -> None:
        """Undo `register_event`."""
        self._event_callbacks[event].remove(function)

    def close(self) -> None:
        """End the connection and its threads; may be called twice, and from a callback."""
        connection, self._socket = self._socket, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._connected.clear()
        self._running.clear()
        self._events.put(None)
        for thread in self._threads:
            if thread is not threading.current_thread() and thread.is_alive():
                thread.join(self.timeout)
        self._threads = []

    def _send(self, fields: Fields, collected: _List | None) -> Future[Message]:
        action_id = f"{self.hostname}-{os.getpid()}-{self.next_seq():08x}"
        content = encode(
            [*((name, value) for name, value in fields.items() if name != "ActionID"), ("ActionID", action_id)]
        )
        reply: Future[Message] = Future()
        connection = self._socket
        if connection is None or not self._connected.is_set():
            raise pyst2.ManagerSocketException(0, "Not connected")
        with self._lock:
            self._replies[action_id] = reply
            if collected:
                self._lists[action_id] = collected
            try:
                connection.sendall(content)
            except OSError as error:
                self._forget(action_id)
                raise pyst2.ManagerSocketException(error.errno or 0, str(error)) from error
        reply.add_done_callback(lambda _: self._replies.pop(action_id, None))
        if collected:
            collected.done.add_done_callback(lambda _: self._lists.pop(action_id, None))
        return reply

    def _forget(self, action_id: str) -> None:
        self._replies.pop(action_id, None)
        self._lists.pop(action_id, None)

    def _wait(self, future: "Future[T]") -> T:
        try:
            return future.result(self.timeout)
        except FutureTimeoutError as error:
            future.cancel()
            raise ManagerTimeoutError(f"Asterisk did not answer within {self.timeout} s") from error

    def _receive(
        self,
        connection: socket.socket,
        splitter: Splitter,
        early: list[bytes],
        events: "queue.SimpleQueue[Message | None]",
    ) -> None:
        reason = "closed by Asterisk"
        try:
            for frame in early:
                self._take(frame, events)
            while data := connection.recv(262144):
                for frame in splitter.feed(data):
                    self._take(frame, events)
        except (OSError, ValueError) as error:
            reason = str(error)
        self._lost(reason, events)

    def _lost(self, reason: str, events: "queue.SimpleQueue[Message | None]") -> None:
        self._connected.clear()
        gone = pyst2.ManagerSocketException(0, f"Connection lost: {reason}")
        waiting: list[Future[Message] | Future[list[Message]]] = [
            *self._replies.values(),
            *(one.done for one in self._lists.values()),
        ]
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(gone)
        events.put(Message(f"Event: {CONNECTION_LOST}\r\nReason: {reason}".encode()))
        events.put(None)

    def _take(self, frame: bytes, events: "queue.SimpleQueue[Message | None]") -> None:
        name = event_name(frame)
        if name is None:
            message = Message(frame)
            reply = self._replies.get(message.headers.get("ActionID", ""))
            if reply is not None and reply.set_running_or_notify_cancel():
                reply.set_result(message)
            return
        if self._lists and b"\r\nActionID: " in frame:
            message = Message(frame)
            collected = self._lists.get(message.headers["ActionID"])
            if collected is not None:
                self._collect(collected, message)
                return
        if self._wanted is None or name in self._wanted:
            for take in self._raw:
                take(frame)
            if self._event_callbacks.get("*") or name.decode("utf-8", "replace") in self._event_callbacks:
                events.put(Message(frame))

    @staticmethod
    def _collect(collected: _List, message: Message) -> None:
        if message.headers.get("EventList", "").lower() in ("complete", "cancelled"):
            if collected.done.set_running_or_notify_cancel():
                collected.done.set_result(collected.events)
            return
        collected.events.append(message)

    def _dispatch(self, events: "queue.SimpleQueue[Message | None]") -> None:
        while (event := events.get()) is not None:
            for callback in [*self._event_callbacks.get(event.name, []), *self._event_callbacks.get("*", [])]:
                try:
                    if callback(event, self):
                        break
                except Exception:  # whatever a callback does, the next event is dispatched
                    log.exception("A callback for %s failed; the event was %r", event.name, event)
