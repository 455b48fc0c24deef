"""Manager events to the queue events of the call model: the same words as queue_log's, so that one model reads both."""

import re

from telephony.ami_wire import Message
from telephony.call_model import UNOBSERVED
from telephony.device_time import DEVICE
from telephony.queue_log import HOLD, UNHOLD, QueueEvent

#: QUEUESTATUS of the dialplan -> the event that queue_log writes for it.
_EXITS = {"TIMEOUT": "EXITWITHTIMEOUT", "LEAVEEMPTY": "EXITEMPTY", "KEY": "EXITWITHKEY"}
#: The agent's code of an agent's channel: PJSIP/7001-00000002.
_OF_CHANNEL = re.compile(r"^PJSIP/(.+)-[0-9a-f]+$")
_REASONS = {"agent": "COMPLETEAGENT", "caller": "COMPLETECALLER", "transfer": "TRANSFER"}


#: Our own word in the journal for a call that ended while nobody listened; no name of Asterisk's begins with a dot.
LOST = ".CallLost"


def unobserved(call: str, at: int) -> bytes:
    """The journal's frame of a call that was gone at `at` (seconds since 1970)."""
    return f"Event: {LOST}\r\nUniqueid: {call}\r\nTimestamp: {at}".encode()


def device_event(at: int, exactly: str, agent: str, status: str) -> QueueEvent:
    """What a member's phone does since `at` (seconds since 1970; `exactly` the same with its fraction)."""
    return QueueEvent(at, DEVICE, "NONE", "NONE", agent, (exactly, status))


class EventReader:
    """Turns messages into queue events; remembers when each caller joined, since some exits do not say how long."""

    def __init__(self) -> None:
        self._joined: dict[tuple[str, str], int] = {}

    def read(self, message: Message, received_at: float) -> QueueEvent | None:
        """The queue event of a message; None if it is of no concern to the call model."""
        stamp = message.headers.get("Timestamp", "")
        # A time beyond eleven digits is none of this world: then that of receipt counts.
        whole, _, rest = stamp.partition(".")
        is_time = whole.isascii() and whole.isdigit() and len(whole) <= 11 and (not rest or rest.isdigit())
        at = int(whole) if is_time else int(received_at)
        exactly = stamp if is_time else f"{received_at:.6f}"
        headers = message.headers
        call, queue = headers.get("Uniqueid", "NONE"), headers.get("Queue", "NONE")
        agent = headers.get("MemberName", "NONE")

        def event(kind: str, *data: str) -> QueueEvent:
            return QueueEvent(at, kind, call, queue, agent, data)

        match message.name:
            case "QueueCallerJoin":
                self._joined[call, queue] = at
                number = headers.get("CallerIDNum", "")
                agent = "NONE"
                return event("ENTERQUEUE", "", number, headers.get("Position", ""))
            case "AgentConnect":
                self._joined.pop((call, queue), None)
                return event(
                    "CONNECT",
                    _number(message, "HoldTime"),
                    headers.get("DestUniqueid", ""),
                    _number(message, "RingTime"),
                )
            case "AgentComplete":
                kind = _REASONS.get(headers.get("Reason", ""), "COMPLETECALLER")
                lead = ("", "") if kind == "TRANSFER" else ()
                return event(kind, *lead, _number(message, "HoldTime"), _number(message, "TalkTime"), "0")
            case "QueueCallerAbandon":
                self._joined.pop((call, queue), None)
                agent = "NONE"
                places = _number(message, "Position"), _number(message, "OriginalPosition")
                return event("ABANDON", *places, _number(message, "HoldTime"))
            case "AgentRingNoAnswer":
                return event("RINGNOANSWER", _number(message, "RingTime"))
            case "QueueMemberAdded":
                return event("ADDMEMBER")
            case "QueueMemberRemoved":
                return event("REMOVEMEMBER")
            case "QueueMemberPause":
                kind = "PAUSE" if headers.get("Paused") == "1" else "UNPAUSE"
                return event(kind, headers.get("PausedReason", ""))
            case "QueueMemberStatus":
                # One for each queue of the member: the same word, said once.
                return device_event(at, exactly, agent, headers.get("Status", ""))
            case "Hold" | "Unhold" if found := _OF_CHANNEL.match(headers.get("Channel", "")):
                kind = HOLD if message.name == "Hold" else UNHOLD
                channel = (found[0], headers["Uniqueid"]) if headers.get("Uniqueid") else (found[0],)
                return QueueEvent(at, kind, "NONE", "NONE", found[1], (exactly, *channel))
            case _ if message.name == LOST:
                return QueueEvent(at, UNOBSERVED, call, "NONE", "NONE", ())
            case "UserEvent" if headers.get("UserEvent") == "QueueExit":
                return self._exit(headers, at, call)
        return None

    def _exit(self, headers: dict[str, str], at: int, call: str) -> QueueEvent | None:
        """The dialplan's own word on how a caller left a queue without an agent."""
        queue = "crm-" + headers.get("Queue", "")
        kind = _EXITS.get(headers.get("Status", ""))
        joined = self._joined.pop((call, queue), None)
        if kind is None or joined is None:
            return None
        lead = ("", "1", "1") if kind == "EXITWITHKEY" else ("1", "1")
        return QueueEvent(at, kind, call, queue, "NONE", (*lead, str(max(at - joined, 0))))


def _number(message: Message, name: str) -> str:
    value = message.headers.get(name, "")
    return value if value.isascii() and value.isdigit() and len(value) <= 9 else "0"
