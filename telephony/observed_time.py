"""An agent's time from the log and from what was seen live: a log corrects, it never forgets for us.

queue_log knows logins, pauses and the queues' calls, and is right about them. It knows nothing of wrap-up, holds, or
calls beside the queues: there what was seen live stands, as far as the log does not contradict it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from telephony.agent_time import conversations, presence, resolve, rings
from telephony.call_model import ROUNDING, Visit
from telephony.device_time import cut_out
from telephony.queue_log import QueueEvent
from telephony.state_interval import StateInterval

#: The end of a state that goes on.
OPEN = 2**40


def corrected_states(
    agent: str,
    events: Iterable[QueueEvent],
    visits: Sequence[Visit],
    seen: Sequence[StateInterval],
    *,
    window: tuple[int, int],
    wrap_up_seconds: Mapping[str, int],
) -> list[StateInterval]:
    """The agent's states, one at a time, by time; a state that goes on ends at OPEN.

    Args:
        events: of this agent in the log; `visits`: those that this agent answered.
        seen: the states that the store has, without overlaps, some time before the log and all that follow it.
        window: first and last second that the log covers.
        wrap_up_seconds: wrap-up time per queue, for conversations whose end nobody saw live.
    """
    first, last = window
    end = _live_goes_on(seen, last)
    ordered = sorted(events)
    seen = sorted((one for one in seen if one.started_at < end), key=lambda one: one.started_at)
    chains = list(_chains(seen))
    layers, logins = presence(agent, ordered, first, end, seen)
    ringing = list(rings(agent, ordered))
    talks, wraps = conversations(agent, visits, end, wrap_up_seconds, still_talking=True)
    told = list(_with_observed_ends([*ringing, *talks], chains, {(one.exited_at, one.is_over) for one in visits}))
    talks = [one for one in told if one.state == "talk"]
    alone = [[one] for one in seen if one.state == "alerting"]
    beside = [
        replace(one, started_at=max(one.started_at, login), ended_at=min(one.ended_at, logout))
        for one in _beside([*chains, *alone], told)
        for login, logout in logins
    ]
    past = [replace(one, ended_at=min(one.ended_at, first)) for one in seen]
    found = [
        *layers,
        *(one for one in told if one.state == "alerting"),
        *cut_out(talks, list(_holds(seen, talks))),
        *_wrap_ups(wraps, talks, seen),
        *beside,
        *past,
    ]
    # The call is left out: the store's states carry none, and equal neighbours are one state.
    return resolve(replace(one, call=None, ended_at=min(one.ended_at, end)) for one in found)


def _live_goes_on(seen: Iterable[StateInterval], last: int) -> int:
    """When, after the log's end, the next thing was seen live; OPEN if nothing was."""
    after = [one.started_at for one in seen if one.started_at > last]
    after += [one.ended_at for one in seen if one.started_at <= last < one.ended_at]
    return min(after, default=OPEN)


def _chains(seen: Sequence[StateInterval]) -> Iterator[list[StateInterval]]:
    """Talks with their holds: a conversation each."""
    chain: list[StateInterval] = []
    for one in seen:
        if one.state not in ("talk", "hold"):
            continue
        if chain and chain[-1].ended_at != one.started_at:
            yield chain
            chain = []
        chain.append(one)
    if chain:
        yield chain


def _begins_in(at: int, one: StateInterval) -> bool:
    return one.started_at - ROUNDING <= at < one.ended_at


def _with_observed_ends(
    told: Sequence[StateInterval], chains: Sequence[list[StateInterval]], visits: set[tuple[int | None, bool]]
) -> Iterator[StateInterval]:
    """The log's rings and talks. A talk whose end the log has not is left to what was seen, else ends with the next."""
    for one in told:
        if one.state == "talk" and (one.started_at, False) in visits:
            live = [chain for chain in chains if abs(chain[0].started_at - one.started_at) <= ROUNDING]
            if live and live[0][-1].ended_at < OPEN:
                continue
            following = (other.started_at for other in told if other.started_at > one.started_at)
            one = replace(one, ended_at=min(following, default=one.ended_at))
        if one.ended_at > one.started_at:
            yield one


def _beside(chains: Iterable[list[StateInterval]], told: Sequence[StateInterval]) -> Iterator[StateInterval]:
    """Rings and conversations that no queue handed out; the next call of a queue ends them at the latest."""
    for chain in chains:
        begun = chain[0].started_at
        if any(_begins_in(begun, one) for one in told):
            continue
        until = min((one.started_at for one in told if one.started_at > begun), default=OPEN)
        for one in chain:
            yield replace(one, ended_at=min(one.ended_at, until))


def _holds(seen: Iterable[StateInterval], talks: Sequence[StateInterval]) -> Iterator[tuple[int, int]]:
    """The holds that were seen in the queues' conversations."""
    for one in seen:
        talk = next((talk for talk in talks if one.state == "hold" and _begins_in(one.started_at, talk)), None)
        if talk:
            yield max(one.started_at, talk.started_at), min(one.ended_at, talk.ended_at)


def _wrap_ups(
    wraps: Iterable[StateInterval], talks: Sequence[StateInterval], seen: Sequence[StateInterval]
) -> Iterator[StateInterval]:
    """Wrap-up as it was seen; as it is set up, after conversations whose end was not seen."""
    ends = [one.ended_at for one in seen if one.state in ("talk", "hold")]
    for wrap in wraps:
        if not any(abs(end - wrap.started_at) <= ROUNDING for end in ends):
            yield wrap
    for one in seen:
        within = [talk for talk in talks if talk.started_at <= one.started_at < talk.ended_at - ROUNDING]
        if one.state == "wrap_up" and one.ended_at < OPEN and not within:
            near = [talk.ended_at for talk in talks if abs(talk.ended_at - one.started_at) <= ROUNDING]
            yield replace(one, started_at=near[0] if near else one.started_at)
