"""The screen pop: a phone that rings puts who calls on its agent's screen, over the live bus."""

import logging
import queue
import re
import threading
import time

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from core.database import session_scope
from crm_api.routing.phones import announce, users_of
from telephony.ami_wire import Message
from telephony.asterisk.plan import queue_code

log = logging.getLogger(__name__)

#: Nobody looks at a pop that comes later: the call is taken or gone.
_STALE_SECONDS = 5.0
_NOT_IN_A_NUMBER = re.compile(r"[^0-9+]")


class ScreenPops:
    """Give it to the listener as `on_event`: taking an event costs it nothing, a thread of its own writes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: queue.SimpleQueue[tuple[float, Message]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="screen-pops", daemon=True).start()

    def __call__(self, message: Message) -> None:
        """Take an event; only a phone that rings for a queue matters."""
        if message.name == "AgentCalled":
            self._waiting.put((time.monotonic(), message))

    def _run(self) -> None:
        while True:
            ringing = [self._waiting.get()]
            while not self._waiting.empty():
                ringing.append(self._waiting.get())
            fresh = [message for at, message in ringing if time.monotonic() - at < _STALE_SECONDS]
            try:
                with session_scope(self._engine) as session:
                    users = users_of(session, {_agent(message) for message in fresh})
                    for message in fresh:
                        if _agent(message) in users:
                            announce(session, username=users[_agent(message)], **_told(message))  # type: ignore[arg-type]  # keywords from a dict
            except OperationalError as error:
                log.warning("The store does not answer, %d screen pops are lost: %s", len(fresh), error.orig)


def _agent(message: Message) -> str:
    return message.headers.get("MemberName", "")


def _told(message: Message) -> dict[str, str | int | None]:
    headers = message.headers
    priority = message.variables.get("CRM_PRIORITY", "")
    return {
        "number": _NOT_IN_A_NUMBER.sub("", headers.get("CallerIDNum", ""))[:40],
        "call": headers.get("Linkedid") or headers.get("Uniqueid"),
        "queue": queue_code(headers.get("Queue", "")),
        "priority": int(priority) if priority.isascii() and priority.isdigit() else None,
        "path": message.variables.get("CRM_IVR_PATH", "")[:100] or None,
    }
