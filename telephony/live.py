"""The call model, live: keeps the events of what is going on and says which calls and agents changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from crm_api.contacts.call_records import CallRecord
from telephony.agent_time import agent_states
from telephony.call_model import UNOBSERVED, Visit, build_calls
from telephony.queue_log import HOLD, UNHOLD, QueueEvent
from telephony.state_interval import StateInterval
from telephony.to_store import call_records, caller_numbers

#: Finished calls are kept for this many seconds, for what is still said of them.
KEEP_SECONDS = 90
#: States that ended longer ago than this do not change any more.
SETTLED_SECONDS = 1800
_SHIFT_SECONDS = 16 * 3600
_NEWEST = 300
_LOGGED_OUT = ("REMOVEMEMBER", "AGENTLOGOFF")
_PRESENCE = (*_LOGGED_OUT, "ADDMEMBER", "AGENTLOGIN", "PAUSE", "UNPAUSE", "PAUSEALL", "UNPAUSEALL")


class LiveModel:
    """Events in, changed calls and agents' states out; not thread-safe."""

    def __init__(self) -> None:
        self._wrap_up: dict[str, int] = {}
        self._events: set[QueueEvent] = set()
        self._written: dict[str, CallRecord] = {}
        self._of_agent: dict[str, set[QueueEvent]] = defaultdict(set)
        self._touched: dict[str, int] = {}

    def feed(self, events: Iterable[QueueEvent]) -> None:
        """Take events, in any order, known ones too."""
        for event in events:
            if event.call not in ("", "NONE") or event.kind in (HOLD, UNHOLD):
                self._events.add(event)
            if event.agent not in ("", "NONE"):
                self._of_agent[event.agent].add(event)
                until = event.at + self._wrap_up.get(event.queue, 0)
                self._touched[event.agent] = max(until, self._touched.get(event.agent, 0))

    def set_wrap_up(self, queue: str, seconds: int) -> None:
        """How long an agent wraps up after a call of `queue`."""
        self._wrap_up[queue] = seconds

    def touch(self, agent: str, now: int) -> None:
        """Say this agent's states again."""
        if agent in self._of_agent:
            self._touched[agent] = max(now, self._touched.get(agent, 0))

    def logged_in(self) -> set[tuple[str, str]]:
        """(agent, queue) pairs whose last login was not undone, as far as the events say."""
        held: set[tuple[str, str]] = set()
        for event in sorted(event for events in self._of_agent.values() for event in events):
            if event.kind == "ADDMEMBER":
                held.add((event.agent, event.queue))
            elif event.kind in _LOGGED_OUT:
                held.discard((event.agent, event.queue))
        return held

    def open_calls(self) -> set[str]:
        """Ids of the calls that have no end yet."""
        visits = build_calls(self._events).visits
        ids = {visit.call for visit in visits if not visit.is_over}
        return ids | {str(visit.linked_call) for visit in visits if visit.linked_call and not visit.is_over}

    def lose_all_but(self, present: set[str], at: int) -> set[str]:
        """Asterisk has only these calls now: the others ended unobserved. Returns the lost ones."""
        lost = self.open_calls() - present
        self.feed(QueueEvent(at, UNOBSERVED, call, "NONE", "NONE", ()) for call in lost)
        return lost

    def changed_calls(self, now: int) -> list[CallRecord]:
        """Calls that differ from what this method returned before; forgets those long finished."""
        calls = build_calls(self._events)
        numbers = caller_numbers(self._events)
        changed = []
        for record in call_records(calls, numbers):
            if self._written.get(record.external_id) != record:
                self._written[record.external_id] = record
                for part in record.absorbed:
                    self._written.pop(part, None)
                changed.append(record)
        self._forget(calls.by_caller(), now)
        return changed

    def _forget(self, callers: Mapping[str, list[Visit]], now: int) -> None:
        over: set[str] = set()
        for call, visits in callers.items():
            ends = [visit.ended_at or visit.exited_at or now for visit in visits]
            if all(visit.is_over for visit in visits) and max(ends) < now - KEEP_SECONDS:
                over.update({call}, *({visit.call, visit.linked_call or ""} for visit in visits))
                self._written.pop(call, None)
        if over:
            self._events = {event for event in self._events if event.call not in over}
        self._forget_holds(callers, now)

    def _forget_holds(self, callers: Mapping[str, list[Visit]], now: int) -> None:
        """Holds bear no call's id: they are kept as long as a conversation of their agent that they may lie in."""
        kept = {event.call for event in self._events}
        since: dict[str, int] = {}
        for visit in (visit for visits in callers.values() for visit in visits):
            if visit.agent and visit.exited_at and kept & {visit.call, visit.linked_call}:
                since[visit.agent] = min(since.get(visit.agent, now), visit.exited_at)
        self._events = {
            event
            for event in self._events
            if event.kind not in (HOLD, UNHOLD) or event.at >= min(since.get(event.agent, now), now - KEEP_SECONDS)
        }

    def changed_states(self, now: int) -> dict[str, tuple[int, list[StateInterval]]]:
        """Agent -> (first second covered, its states since then) for the agents whose events or wrap-up moved.

        The last state of an agent who is still there ends at `now`: it is open. States that ended more than
        SETTLED_SECONDS ago are settled and not told again.
        """
        found = {}
        for agent in sorted(self._touched):
            events = self._of_agent[agent]
            visits = [visit for visit in build_calls(self._events | events).visits if visit.agent == agent]
            first = min(event.at for event in events)
            states = agent_states(
                events, visits, window=(first, now), wrap_up_seconds=self._wrap_up, still_talking=True
            )
            moving = [
                replace(one, ended_at=min(one.ended_at, now))
                for one in states
                if one.agent == agent and one.started_at < now and one.ended_at >= now - SETTLED_SECONDS
            ]
            if moving:
                found[agent] = moving[0].started_at, moving
            # What follows the wrap-up can be told a second after its end only.
            if self._touched[agent] < now:
                del self._touched[agent]
                self._forget_time_of(agent, now)
        return found

    def _forget_time_of(self, agent: str, now: int) -> None:
        """Keep what an agent's present states follow from: the newest events, and the shift's logins and pauses."""
        ordered = sorted(self._of_agent[agent])
        kept = set(ordered[-_NEWEST:])
        kept |= {event for event in ordered if event.kind in _PRESENCE and event.at >= now - _SHIFT_SECONDS}
        self._of_agent[agent] = kept
