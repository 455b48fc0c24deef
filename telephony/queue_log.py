"""Reading Asterisk's queue_log: lines to events; a line that cannot be read is kept aside with its position."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: Exits without an answer; their last field is the seconds waited. The number of fields each must have.
UNANSWERED = {"ABANDON": 3, "EXITWITHTIMEOUT": 3, "EXITWITHKEY": 4, "EXITEMPTY": 3}
#: Events that end an answered visit; their last three fields are seconds waited, seconds talked, entry position.
COMPLETIONS = {"COMPLETEAGENT": 3, "COMPLETECALLER": 3, "BLINDTRANSFER": 5, "TRANSFER": 5, "ATTENDEDTRANSFER": 4}
#: The agent has put the caller on hold. Asterisk tells it live only; a dialplan may write such lines by QueueLog().
#: `data`: the time to the microsecond, the channel's name, its id if known.
HOLD, UNHOLD = "HOLD", "UNHOLD"


@dataclass(frozen=True, slots=True, order=True)
class QueueEvent:
    """One line of queue_log. `at` is seconds since 1970; `data` are the fields after the event's name."""

    at: int
    kind: str
    call: str
    queue: str
    agent: str
    data: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no event: kept aside, the rest is read."""

    number: int
    text: str
    reason: str


def parse_line(text: str, number: int) -> QueueEvent | BadLine | None:
    """The event of one line, or why it is none; None for an empty line."""
    line = text.rstrip("\r\n")
    if not line.strip("\0 "):
        return None
    fields = line.split("|")
    if len(fields) < 5:
        return BadLine(number, line, f"{len(fields)} fields where at least 5 are needed: a truncated line?")
    at, call, queue, agent, kind, *data = fields
    seconds = at.partition(".")[0]
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 11):
        return BadLine(number, line, f"the time {at!r} is not seconds since 1970")
    if not kind.isascii() or not kind.isupper():
        return BadLine(number, line, f"{kind!r} is not the name of an event")
    while data and not data[-1]:
        data.pop()
    if kind in (HOLD, UNHOLD):
        data = [f"{seconds}.0", ""]
    event = QueueEvent(int(seconds), kind, call, queue, agent, tuple(data))
    missing = _missing_numbers(event)
    return BadLine(number, line, missing) if missing else event


def _missing_numbers(event: QueueEvent) -> str | None:
    """Why the seconds that this kind of event must carry are not there."""
    if event.kind == "CONNECT":
        seconds, enough = event.data[:1], len(event.data) >= 1
    elif event.kind in UNANSWERED:
        seconds, enough = event.data[-1:], len(event.data) >= UNANSWERED[event.kind]
    elif event.kind in COMPLETIONS:
        seconds, enough = event.data[-3:], len(event.data) >= COMPLETIONS[event.kind]
    else:
        return None
    if enough and all(field.isascii() and field.isdigit() and len(field) <= 9 for field in seconds):
        return None
    return f"{event.kind} does not carry its seconds: a truncated line?"


def parse(lines: Iterable[str], bad: list[BadLine]) -> Iterator[QueueEvent]:
    """The events of `lines` in file order; what cannot be read is appended to `bad`.

    A last line without its line end was cut while it was written: it is kept aside, since a shortened number
    would still look like one.
    """
    for number, text in enumerate(lines, start=1):
        if not text.endswith("\n") and text.strip("\0 "):
            bad.append(BadLine(number, text, "the line has no end: it was cut while it was written"))
            continue
        found = parse_line(text, number)
        if isinstance(found, BadLine):
            bad.append(found)
        elif found is not None:
            yield found


def seconds_waited(event: QueueEvent) -> int:
    """Seconds from entering the queue to this event (CONNECT or an exit without an answer)."""
    return int(event.data[0] if event.kind == "CONNECT" else event.data[-1])


def seconds_talked(event: QueueEvent) -> int:
    """Seconds from the answer to this completion."""
    return int(event.data[-2])
