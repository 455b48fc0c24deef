"""What an agent's phone itself tells: it rings, it is in use, its caller is on hold. Queue events know none of it.

Only the live stream has these events; logs do not. They fill what the queues' events leave open, and never contradict
them: a call that a queue handed out counts as the queue's events say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from telephony.queue_log import HOLD, UNHOLD, QueueEvent
from telephony.state_interval import StateInterval

#: Our own kind: no line of a log is called so. `data`: the time to the microsecond, the device's state.
DEVICE = "device"
PHONE_KINDS = frozenset({DEVICE, HOLD, UNHOLD})
#: Asterisk's device states.
_RINGING, _IN_USE = frozenset({"6"}), frozenset({"2", "3", "7", "8"})
#: Clocks are rounded to seconds on either side: so close to a queue's call the phone says nothing of its own.
_PAD = 2
#: The end of a hold that nobody took back.
FOREVER = 2**62


def _exactly(event: QueueEvent) -> tuple[float, str]:
    return float(event.data[0]), event.data[1]


def phone_layers(
    agent: str, events: Iterable[QueueEvent], known: Sequence[StateInterval], end: int
) -> list[StateInterval]:
    """Ringing and talk that no queue handed out, as far as `known` (alerting and talk by queue events) leaves room."""
    told = sorted((event for event in events if event.kind == DEVICE), key=_exactly)
    found: list[StateInterval] = []
    for number, event in enumerate(told):
        until = told[number + 1].at if number + 1 < len(told) else end
        state = "alerting" if event.data[1] in _RINGING else "talk" if event.data[1] in _IN_USE else None
        if state and until > event.at:
            found += _outside(StateInterval(agent, state, event.at, until), known)
    return found


def _outside(one: StateInterval, known: Sequence[StateInterval]) -> list[StateInterval]:
    """What is left of an interval beside the known ones."""
    pieces = [one]
    for other in known:
        start, end = other.started_at - _PAD, other.ended_at + _PAD
        pieces = [
            replace(piece, started_at=since, ended_at=until)
            for piece in pieces
            for since, until in (
                (piece.started_at, min(piece.ended_at, start)),
                (max(piece.started_at, end), piece.ended_at),
            )
            if since < until
        ]
    return pieces


def hold_spans(events: Iterable[QueueEvent]) -> list[tuple[int, int]]:
    """From when to when each hold lasted, by time; one that nobody took back lasts for ever."""
    told = sorted((event for event in events if event.kind in (HOLD, UNHOLD)), key=_exactly)
    holds: list[tuple[int, int]] = []
    for number, event in enumerate(told):
        if event.kind == HOLD:
            later = (one.at for one in told[number + 1 :] if one.data[1] == event.data[1])
            holds.append((event.at, next(later, FOREVER)))
    return holds


def with_holds(talks: Sequence[StateInterval], events: Iterable[QueueEvent]) -> list[StateInterval]:
    """The talks with what was on hold cut out of them; a hold ends with its talk at the latest."""
    return cut_out(talks, hold_spans(events))


def cut_out(talks: Sequence[StateInterval], holds: Sequence[tuple[int, int]]) -> list[StateInterval]:
    """The talks with the holds that begin in them as states of their own; `holds` by time."""
    found: list[StateInterval] = []
    for talk in talks:
        since = talk.started_at
        for start, until in holds:
            if not talk.started_at <= start < talk.ended_at or until <= since:
                continue
            stop = min(until, talk.ended_at)
            found.append(replace(talk, started_at=since, ended_at=max(start, since)))
            found.append(replace(talk, state="hold", started_at=max(start, since), ended_at=stop))
            since = stop
        found.append(replace(talk, started_at=since))
    return [one for one in found if one.ended_at > one.started_at]
