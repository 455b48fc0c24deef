"""`crm telephony listen`: from the manager connection to the store, through the journal and the call model.

Asterisk sends nothing of what happened while nobody listened. So on every connection a snapshot of its calls is
taken, and what the model still thinks open but Asterisk does not have ended unobserved: unknown until the log is
reconciled. Connecting again is tried for ever, with a growing pause.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from asterisk.manager import ManagerException
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, OperationalError

from core.database import session_scope
from crm_api.contacts.call_records import CallRecord, Directory, store_calls
from crm_api.dialect import begin_writing
from crm_api.routing.phones import PAUSE_REASONS
from crm_api.workforce.state_records import StateRecord, store_states
from telephony.ami_events import EventReader, device_event, unobserved
from telephony.ami_wire import Message
from telephony.asterisk.render import EVENTS
from telephony.journal import Journal, Record, replay
from telephony.live import LiveModel
from telephony.manager import CONNECTION_LOST, Manager
from telephony.queue_log import QueueEvent
from telephony.to_store import instant, wrap_up_of_queues

log = logging.getLogger(__name__)

#: How often what changed is written to the store, seconds.
WRITE_EVERY = 0.5
#: How far back the journal is read at the start: longer than any call or shift.
REPLAY_SECONDS = 16 * 3600
_SLOWEST_RETRY = 5.0
_PING_EVERY = 10.0


@dataclass(frozen=True)
class Address:
    """Where the manager interface is, and as whom."""

    host: str
    port: int
    user: str
    secret: str


class StoreWriter:
    """Writes what changed of the model; keeps it for the next time while the store does not answer.

    Args:
        lock: of the model; not held while the store works, so that events go on being journalled whatever it does.
    """

    def __init__(self, engine: Engine, model: LiveModel, lock: threading.Lock) -> None:
        self._engine, self._model, self._lock = engine, model, lock
        self._pending_calls: dict[str, CallRecord] = {}
        self.behind_since: float | None = None

    def write(self, now: int) -> int:
        """Write the calls and states that changed; the number of calls written. 0 while the store is away."""
        with self._lock:
            for record in self._model.changed_calls(now):
                self._pending_calls[record.external_id] = record
            states = self._model.changed_states(now)
        if not self._pending_calls and not states:
            return 0
        try:
            with session_scope(self._engine) as session:
                begin_writing(session)
                directory = Directory(session, create=True)
                store_calls(session, list(self._pending_calls.values()), directory=directory)
                for agent, (first, intervals) in states.items():
                    agent_id = directory.agent(agent)
                    if agent_id is not None:
                        records = [
                            StateRecord(
                                agent_id,
                                one.state,
                                instant(one.started_at),
                                None if one.ended_at == now else instant(one.ended_at),
                                one.pause_reason,
                                PAUSE_REASONS.get(one.pause_reason or ""),
                            )
                            for one in intervals
                        ]
                        store_states(session, records, window=(instant(first), instant(now)))
        except (OperationalError, IntegrityError) as error:
            # The IVR writes the same call: whoever comes second finds it at the next writing.
            self.behind_since = self.behind_since or time.time()
            with self._lock:
                for agent in states:
                    self._model.touch(agent, now)
            log.warning("The store did not take it; %d calls wait: %s", len(self._pending_calls), error.orig)
            return 0
        written = len(self._pending_calls)
        self._pending_calls, self.behind_since = {}, None
        return written


class Listener:
    """Supervises one manager connection until `stop` is called.

    Args:
        folder: of the journal.
        on_event: told of every event once it is durable (screen pop, wallboard).
    """

    def __init__(
        self,
        address: Address,
        engine: Engine,
        folder: Path,
        *,
        on_event: Callable[[Message], None] | None = None,
    ) -> None:
        self._address, self._folder, self._on_event, self._engine = address, folder, on_event, engine
        self._model = LiveModel()
        self._reader = EventReader()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._writer = StoreWriter(engine, self._model, self._lock)
        self.connected = threading.Event()
        #: There while the connection stands: what `crm doctor` and the frontend look at.
        self._sign = folder.parent / "connected"

    def run(self) -> None:
        """Listen until stopped."""
        self._interpret(list(replay(self._folder, since=time.time() - REPLAY_SECONDS)), replaying=True)
        journal = Journal(self._folder, self._interpret)
        writer = threading.Thread(target=self._write_regularly, name="store-writer", daemon=True)
        writer.start()
        pause = 0.1
        try:
            while not self._stop.is_set():
                began = time.monotonic()
                try:
                    self._listen(journal)
                except (ManagerException, OSError) as error:
                    log.warning("No connection to Asterisk at %s:%d: %s", self._address.host, self._address.port, error)
                pause = 0.1 if time.monotonic() - began > 30 else min(pause * 2, _SLOWEST_RETRY)
                self._stop.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads the retries, no secret
        finally:
            journal.close()
            self._stop.set()
            writer.join()
            self._write()

    def stop(self) -> None:
        """End `run` soon; may be called from any thread or a signal handler."""
        self._stop.set()

    def _listen(self, journal: Journal) -> None:
        lost = threading.Event()
        manager = Manager(events=EVENTS)
        manager.register_event(CONNECTION_LOST, lambda event, _: lost.set())
        manager.register_raw(journal.append)
        try:
            manager.connect(self._address.host, self._address.port)
            reply = manager.login(self._address.user, self._address.secret)
            if reply.get_header("Response") != "Success":
                raise ManagerException(reply.get_header("Message"))
            self._take_snapshot(manager, journal)
            self.connected.set()
            self._sign.touch()
            while not self._stop.is_set() and not lost.wait(0.2):
                if time.monotonic() % _PING_EVERY < 0.2:
                    manager.ping()
        finally:
            self.connected.clear()
            self._sign.unlink(missing_ok=True)
            manager.close()

    def _take_snapshot(self, manager: Manager, journal: Journal) -> None:
        """What Asterisk has now; complete lists only, so that a half-read one loses no call."""
        channels = manager.send_list({"Action": "CoreShowChannels"})
        present = {one.headers.get(name, "") for one in channels for name in ("Uniqueid", "Linkedid")}
        now = int(time.time())
        listed = [one for one in manager.send_list({"Action": "QueueStatus"}) if one.name == "QueueMember"]
        members = [
            QueueEvent(now, "ADDMEMBER", "NONE", one.headers.get("Queue", ""), one.headers.get("Name", ""), ())
            for one in listed
        ]
        with self._lock:
            for queue, seconds in self._wrap_up(listed).items():
                self._model.set_wrap_up(queue, seconds)
            known = self._model.logged_in()
            self._model.feed(one for one in members if (one.agent, one.queue) not in known)
            self._model.feed(
                device_event(now, f"{now}.0", one.headers.get("Name", ""), one.headers.get("Status", ""))
                for one in listed
            )
            lost = self._model.lose_all_but(present, now)
        for call in sorted(lost):
            # A later start would else find the call open again, and end it later.
            journal.append(unobserved(call, now))
        if lost:
            log.warning("%d calls ended while nobody listened; crm telephony reconcile corrects them", len(lost))

    def _wrap_up(self, members: Sequence[Message]) -> dict[str, int]:
        """Queue -> wrap-up time: the store's word, or its members' (who signed in carry none)."""
        found = {one.headers.get("Queue", ""): each for one in members if (each := one.seconds("Wrapuptime"))}
        try:
            with session_scope(self._engine) as session:
                routed = wrap_up_of_queues(session)
        except OperationalError:
            return found
        return routed | found

    def _interpret(self, records: Sequence[Record], *, replaying: bool = False) -> None:
        messages = [(Message(record.frame), record.received_at) for record in records]
        events = [event for one, at in messages if (event := self._reader.read(one, at)) is not None]
        with self._lock:
            self._model.feed(events)
        if self._on_event and not replaying:
            for message, _ in messages:
                self._on_event(message)

    def _write_regularly(self) -> None:
        try:
            while not self._stop.wait(WRITE_EVERY):
                self._write()
        finally:
            # A writer that fails ends the listener: its supervisor starts it again, and the journal has everything.
            self._stop.set()

    def _write(self) -> None:
        self._writer.write(int(time.time()))
