"""Asterisk's call detail records (Master.csv) as queue events.

A record tells less than queue_log: when the call began, was answered and ended, the queue and the agent's channel.
Where the dialplan answers before the queue, waiting and talking cannot be told apart; they are taken as they stand.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from telephony.cel import agent_of
from telephony.queue_log import BadLine, QueueEvent

_COLUMNS = 17
_SOURCE, _CHANNEL_TO, _APP, _DATA, _START, _ANSWER, _END, _DISPOSITION, _ID = 1, 6, 7, 8, 9, 10, 11, 14, 16


def parse(lines: Iterable[str], bad: list[BadLine], *, zone: tzinfo = UTC) -> Iterator[QueueEvent]:
    """Queue events of the records whose last application was Queue; others are no visits and are passed over.

    Args:
        bad: gets the lines that cannot be read.
        zone: of the times (`usegmtime=yes` is UTC).
    """
    for number, text in enumerate(lines, start=1):
        if not text.strip("\0 \r\n"):
            continue
        try:
            (fields,) = csv.reader([text.rstrip("\r\n")], strict=True)
            events = _events(fields, zone)
        except (csv.Error, ValueError) as error:
            bad.append(BadLine(number, text.rstrip("\r\n"), str(error)))
            continue
        yield from events


def _seconds(text: str, zone: tzinfo, name: str) -> int:
    try:
        return int(datetime.strptime(text[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone).timestamp())
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{name} is {text!r}, not a time like 2026-03-02 08:30:00") from error


def _events(fields: Sequence[str], zone: tzinfo) -> list[QueueEvent]:
    if len(fields) < _COLUMNS:
        raise ValueError(f"{len(fields)} columns where {_COLUMNS} are needed: a truncated line, or no unique id?")
    if fields[_APP].lower() != "queue":
        return []
    call, queue = fields[_ID], fields[_DATA].split(",")[0]
    if not call or not queue:
        raise ValueError("no unique id or no queue")
    began, ended = _seconds(fields[_START], zone, "start"), _seconds(fields[_END], zone, "end")
    if ended < began:
        raise ValueError(f"the call ends at {fields[_END]}, before its start")
    found = [QueueEvent(began, "ENTERQUEUE", call, queue, "NONE", ("", fields[_SOURCE], "1"))]
    if not fields[_CHANNEL_TO] or fields[_DISPOSITION] != "ANSWERED":
        return [*found, QueueEvent(ended, "ABANDON", call, queue, "NONE", ("1", "1", str(ended - began)))]
    answered = min(max(_seconds(fields[_ANSWER], zone, "answer"), began), ended)
    agent, waited = agent_of(fields[_CHANNEL_TO]), str(answered - began)
    return [
        *found,
        QueueEvent(answered, "CONNECT", call, queue, agent, (waited, "", "0")),
        QueueEvent(ended, "COMPLETECALLER", call, queue, agent, (waited, str(ended - answered), "1")),
    ]
