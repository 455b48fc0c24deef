"""Asterisk's channel event log (CEL) as queue events: what queue_log would have said of the same calls.

Read is the layout of cel_custom's sample (20 columns). A caller's way through a queue shows as the start of the
application Queue, the bridge with the agent's channel, its end, and the end of the application.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from telephony.queue_log import BadLine, QueueEvent

_COLUMNS = 20
_TYPE, _TIME, _NUMBER, _CHANNEL, _APP, _DATA, _ID, _LINKED, _EXTRA = 0, 1, 3, 9, 10, 11, 14, 15, 19
#: A hang-up this long after leaving a queue belongs to leaving it.
_HANGUP_WITHIN = 1.5


@dataclass(frozen=True, slots=True, order=True)
class CelEvent:
    """One line of CEL; seconds since 1970."""

    at: float
    kind: str
    call: str
    linked: str
    channel: str
    number: str
    app: str
    data: str
    bridge: str
    attended_by: str = ""


def parse(lines: Iterable[str], bad: list[BadLine]) -> Iterator[CelEvent]:
    """The events of a CSV file; what cannot be read is appended to `bad`."""
    for number, text in enumerate(lines, start=1):
        if not text.strip("\0 \r\n"):
            continue
        try:
            (fields,) = csv.reader([text.rstrip("\r\n")], strict=True)
        except (csv.Error, ValueError) as error:
            bad.append(BadLine(number, text.rstrip("\r\n"), f"not a line of CSV: {error}"))
            continue
        found = _event(fields)
        if isinstance(found, str):
            bad.append(BadLine(number, text.rstrip("\r\n"), found))
        else:
            yield found


def _event(fields: Sequence[str]) -> CelEvent | str:
    if len(fields) < _COLUMNS:
        return f"{len(fields)} columns where {_COLUMNS} are needed: a truncated line, or another layout?"
    at = fields[_TIME]
    if not (at.isascii() and at.replace(".", "", 1).isdigit() and len(at.partition(".")[0]) <= 11):
        return f"the time {at!r} is not seconds since 1970 (set dateformat=%s, or leave it out)"
    return CelEvent(
        float(at),
        fields[_TYPE],
        fields[_ID],
        fields[_LINKED],
        fields[_CHANNEL],
        fields[_NUMBER],
        fields[_APP].lower(),
        fields[_DATA],
        _bridge(fields[_EXTRA]),
    )


def _bridge(extra: str) -> str:
    try:
        content = json.loads(extra) if extra else {}
    except ValueError:
        return ""
    return str(content.get("bridge_id", "")) if isinstance(content, dict) else ""


def agent_of(channel: str) -> str:
    """The agent whose channel this is: PJSIP/7001-00000012 is 7001's."""
    return channel.partition("/")[2].rpartition("-")[0] or "NONE"


def queue_events(events: Iterable[CelEvent]) -> Iterator[QueueEvent]:
    """The queue events of the calls, in no order; order and repetition of the lines do not matter."""
    of_channel: dict[str, list[CelEvent]] = defaultdict(list)
    in_bridge: dict[str, list[CelEvent]] = defaultdict(list)
    for event in sorted(set(events)):
        of_channel[event.call].append(event)
        if event.bridge and event.kind in ("BRIDGE_ENTER", "BRIDGE_EXIT"):
            in_bridge[event.bridge].append(event)
    for own in of_channel.values():
        starts = [event for event in own if event.kind == "APP_START" and event.app == "queue"]
        for number, start in enumerate(starts):
            until = starts[number + 1].at if number + 1 < len(starts) else float("inf")
            yield from _visit(start, [event for event in own if start.at <= event.at < until], in_bridge)


def _visit(start: CelEvent, events: list[CelEvent], bridges: dict[str, list[CelEvent]]) -> Iterator[QueueEvent]:
    queue, call = start.data.split(",")[0], start.call

    def event(at: float, kind: str, agent: str, *data: str) -> QueueEvent:
        return QueueEvent(int(at), kind, call, queue, agent, data)

    yield event(start.at, "ENTERQUEUE", "NONE", "", start.number, "1")
    joined = next((one for one in events if one.kind == "BRIDGE_ENTER"), None)
    ended = next((one for one in events if one.kind == "APP_END" and one.app == "queue"), None)
    gone = next((one for one in events if one.kind in ("HANGUP", "CHAN_END")), None)
    if joined is not None:
        agent = _other_side(joined, bridges[joined.bridge])
        waited = int(joined.at) - int(start.at)
        yield event(joined.at, "CONNECT", agent, str(waited), "", "0")
        left = [one for one in events if one.kind == "BRIDGE_EXIT" and one.bridge == joined.bridge]
        last = left[-1] if left else ended or gone
        if last is not None:
            talked = int(last.at) - int(joined.at)
            yield event(last.at, "COMPLETECALLER", agent, str(waited), str(talked), "1")
        return
    last = ended or gone
    if last is None:
        return
    hung_up = gone is not None and gone.at - last.at <= _HANGUP_WITHIN
    kind = "ABANDON" if hung_up or ended is None else "EXITWITHTIMEOUT"
    yield event(last.at, kind, "NONE", "1", "1", str(int(last.at) - int(start.at)))


def _other_side(joined: CelEvent, bridge: list[CelEvent]) -> str:
    others = [one for one in bridge if one.kind == "BRIDGE_ENTER" and one.call != joined.call]
    near = min(others, key=lambda one: abs(one.at - joined.at), default=None)
    return agent_of(near.channel) if near else "NONE"
