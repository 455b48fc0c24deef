"""Agents' time from queue events: login, pauses, ringing, talk and wrap-up become states that never overlap.

Where sources overlap the stronger state wins: talk, hold, wrap-up, alerting, pause, available (docs/kpi.md).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from telephony.call_model import Visit
from telephony.device_time import PHONE_KINDS, phone_layers, with_holds
from telephony.queue_log import QueueEvent
from telephony.state_interval import StateInterval

#: Stronger first.
PRECEDENCE = ("talk", "hold", "wrap_up", "alerting", "pause", "available")

_LOGIN = ("ADDMEMBER", "AGENTLOGIN", "AGENTCALLBACKLOGIN")
_LOGOUT = ("REMOVEMEMBER", "AGENTLOGOFF", "AGENTCALLBACKLOGOFF")
_PAUSE, _UNPAUSE = ("PAUSE", "PAUSEALL"), ("UNPAUSE", "UNPAUSEALL")


def _strength(one: StateInterval) -> tuple[int, int, int, str, str]:
    return PRECEDENCE.index(one.state), one.started_at, one.ended_at, one.call or "", one.pause_reason or ""


def resolve(intervals: Iterable[StateInterval]) -> list[StateInterval]:
    """One state at a time for one agent: overlaps go to the stronger state, equal neighbours are joined."""
    layers = sorted((one for one in intervals if one.ended_at > one.started_at), key=_strength)
    changes: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for number, one in enumerate(layers):
        changes[one.started_at][0].append(number)
        changes[one.ended_at][1].append(number)
    holding: set[int] = set()
    found: list[StateInterval] = []
    for start, end in pairwise(sorted(changes)):
        begun, ended = changes[start]
        holding.update(begun)
        holding.difference_update(ended)
        if not holding:
            continue
        won = replace(layers[min(holding)], started_at=start, ended_at=end)
        last = found[-1] if found else None
        if last and last.ended_at == start and replace(won, started_at=last.started_at) == replace(last, ended_at=end):
            won = replace(won, started_at=last.started_at)
            found.pop()
        found.append(won)
    return found


def _spans(
    events: list[QueueEvent], on: tuple[str, ...], off: tuple[str, ...], start: int, end: int
) -> list[tuple[int, int, QueueEvent | None]]:
    """Spans in which at least one `on` holds (an agent logs in queue by queue); open ones reach `start` or `end`."""
    spans: list[tuple[int, int, QueueEvent | None]] = []
    holding: dict[str, QueueEvent] = {}
    since, opener = start, None
    for event in events:
        if event.kind in on:
            if not holding:
                since, opener = event.at, event
            holding[event.queue] = event
        elif event.kind in off:
            if not holding and not spans:
                spans.append((start, event.at, None))
            elif holding:
                if event.queue in ("NONE", ""):
                    holding.clear()
                holding.pop(event.queue, None)
                if not holding:
                    spans.append((since, event.at, opener))
    if holding:
        spans.append((since, end, opener))
    return spans


def agent_states(
    events: Iterable[QueueEvent],
    visits: Iterable[Visit],
    *,
    window: tuple[int, int] | None = None,
    wrap_up_seconds: Mapping[str, int] | None = None,
    still_talking: bool = False,
) -> list[StateInterval]:
    """State intervals of every agent, by agent and time.

    Args:
        window: first and last second that the events cover (default: of the events); an agent who is active
            before any login is seen was logged in from the window's start, one who is not seen leaving until its end.
        wrap_up_seconds: wrap-up time per queue, as configured in Asterisk (its log does not tell).
        still_talking: a conversation without an end goes on until the window's end (live); else it is not known.
    """
    ordered = sorted(set(events))
    if not ordered:
        return []
    start, end = window or (ordered[0].at, ordered[-1].at)
    of_agent: dict[str, list[QueueEvent]] = defaultdict(list)
    for event in ordered:
        if event.agent not in ("", "NONE"):
            of_agent[event.agent].append(event)
    talks: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        if visit.agent:
            talks[visit.agent].append(visit)
    found: list[StateInterval] = []
    for agent in sorted(of_agent):
        found += resolve(
            _layers(agent, of_agent[agent], talks[agent], start, end, wrap_up_seconds or {}, still_talking)
        )
    return found


def _layers(
    agent: str,
    events: list[QueueEvent],
    visits: list[Visit],
    start: int,
    end: int,
    wrap_up: Mapping[str, int],
    still_talking: bool,
) -> list[StateInterval]:
    queued = [event for event in events if event.kind not in PHONE_KINDS]
    layers, logins = presence(agent, queued, start, end)
    ringing = list(rings(agent, queued))
    talks, wraps = conversations(agent, visits, end, wrap_up, still_talking)
    beside = [
        replace(one, started_at=max(one.started_at, login), ended_at=min(one.ended_at, logout))
        for one in phone_layers(agent, events, [*ringing, *talks], end)
        for login, logout in logins
        if max(one.started_at, login) < min(one.ended_at, logout)
    ]
    ringing += [one for one in beside if one.state == "alerting"]
    talks += [one for one in beside if one.state == "talk"]
    return layers + ringing + with_holds(talks, events) + wraps


def presence(
    agent: str, events: list[QueueEvent], start: int, end: int, seen: Sequence[StateInterval] = ()
) -> tuple[list[StateInterval], list[tuple[int, int]]]:
    """Available and paused by the logins and pauses, and the spans of the logins.

    Args:
        seen: states known otherwise; before the first login or pause of the events they say how things stood.
    """
    spans = _spans(events, _LOGIN, _LOGOUT, start, end)
    first_login = next((event.at for event in events if event.kind in _LOGIN), None)
    is_first = first_login is None or (bool(events) and events[0].at < first_login)
    if not any(span[0] == start for span in spans) and is_first:
        spans.append((start, first_login if first_login is not None else end, None))
    known = next((event.at for event in events if event.kind in _LOGIN + _LOGOUT), end)
    before = _within(seen, start, known)
    logins = [(since, until) for since, until, _ in spans]
    if before:
        there = resolve(replace(one, state="available", pause_reason=None, call=None) for one in before)
        logins = [(one.started_at, one.ended_at) for one in there]
        logins += [(max(since, known), until) for since, until, _ in spans if until > known]
    layers = [StateInterval(agent, "available", since, until) for since, until in logins]
    paused = min(known, next((event.at for event in events if event.kind in _PAUSE + _UNPAUSE), end))
    layers += [one for one in _within(seen, start, paused) if one.state == "pause"]
    for since, until, opener in _spans(events, _PAUSE, _UNPAUSE, start, end):
        if before and opener is None:
            continue
        reason = (opener.data[0] if opener and opener.data else "") or "unspecified"
        # A pause ends with the login it belongs to.
        layers += [
            StateInterval(agent, "pause", max(since, login), min(until, logout), reason)
            for login, logout in logins
            if max(since, login) < min(until, logout)
        ]
    return layers, logins


def _within(states: Iterable[StateInterval], start: int, end: int) -> list[StateInterval]:
    """The parts of the states between two instants."""
    cut = (replace(one, started_at=max(one.started_at, start), ended_at=min(one.ended_at, end)) for one in states)
    return [one for one in cut if one.started_at < one.ended_at]


def rings(agent: str, events: list[QueueEvent]) -> Iterator[StateInterval]:
    """The ringing of queues' calls, told when it is over."""
    for event in events:
        if event.kind == "RINGNOANSWER" and event.data and event.data[0].isdigit():
            rang = round(int(event.data[0]) / 1000)
            yield StateInterval(agent, "alerting", event.at - rang, event.at, call=event.call)
        elif event.kind == "CONNECT" and len(event.data) > 2 and event.data[2].isdigit():
            yield StateInterval(agent, "alerting", event.at - int(event.data[2]), event.at, call=event.call)


def conversations(
    agent: str, visits: Sequence[Visit], end: int, wrap_up: Mapping[str, int], still_talking: bool
) -> tuple[list[StateInterval], list[StateInterval]]:
    """Talk and wrap-up of the queues' calls."""
    talks, wraps = [], []
    for visit in visits:
        if visit.exited_at is None:
            continue
        if visit.ended_at is None and still_talking and not visit.is_over:
            talks.append(StateInterval(agent, "talk", visit.exited_at, end, call=visit.call))
            continue
        until = visit.ended_at if visit.ended_at is not None else visit.exited_at
        talks.append(StateInterval(agent, "talk", visit.exited_at, until, call=visit.call))
        wrapped = until + wrap_up.get(visit.queue, 0)
        wraps.append(StateInterval(agent, "wrap_up", until, wrapped, call=visit.call))
    return talks, wraps
