"""From ordered queue events to visits and calls: a pure function, the same for live events and for files.

Order and repetition of the input do not matter: events are deduplicated and sorted first, and an exit finds its
entry by the seconds that it carries (exit − waited = entry), not by its place in the file. So a call that enters a
queue twice has two visits and two exits, and an attended transfer, where Asterisk writes the consult call's id in
some lines and the original's in others (issue 759), still gives one visit for each queue.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from telephony.device_time import FOREVER, hold_spans
from telephony.queue_log import (
    COMPLETIONS,
    HOLD,
    UNANSWERED,
    UNHOLD,
    QueueEvent,
    seconds_talked,
    seconds_waited,
)

#: Asterisk rounds each clock down on its own: a computed entry may miss the logged one by this many seconds.
ROUNDING = 2

EXIT_CLASS = {
    "ABANDON": "abandoned",
    "EXITWITHTIMEOUT": "timeout",
    "EXITWITHKEY": "key_exit",
    "EXITEMPTY": "leave_empty",
    "CONNECT": "answered",
}

#: Written by the listener, not by Asterisk: the call ended while nobody listened. Its ending is unknown, never guessed.
UNOBSERVED = "UNOBSERVED"
#: Asterisk has started: what was open before ended with its last run, nobody knows how.
RESTARTED = "QUEUESTART"


@dataclass(slots=True)
class Visit:
    """From joining a queue to exactly one exit. Times are seconds since 1970; `exit_class` None: still waiting."""

    queue: str
    call: str
    entered_at: int
    entry_observed: bool = True
    exit_class: str | None = None
    exited_at: int | None = None
    agent: str | None = None
    ended_at: int | None = None
    is_transferred: bool = False
    #: The call id that the exit carried, where it differs from the entry's: the two are one caller.
    linked_call: str | None = None
    #: Answered, and its end was not observed.
    end_lost: bool = False
    #: Id of the agent's channel, where the answer tells it.
    channel: str | None = None
    #: When the caller was on hold, by time; an end of None: still, or nobody knows.
    holds: tuple[tuple[int, int | None], ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to come of it, as far as is known."""
        if self.exit_class == "answered":
            return self.ended_at is not None or self.end_lost
        return self.exited_at is not None

    @property
    def wait_seconds(self) -> int | None:
        """Seconds from entry to exit; None while waiting."""
        return None if self.exited_at is None else self.exited_at - self.entered_at

    @property
    def talk_seconds(self) -> int | None:
        """Seconds from the answer to its end; None if not answered or not ended."""
        return None if self.ended_at is None or self.exited_at is None else self.ended_at - self.exited_at


@dataclass(slots=True)
class Calls:
    """What the events say: the visits, oldest first, and the visits of each caller by the first call id."""

    visits: list[Visit] = field(default_factory=list)

    def by_caller(self) -> dict[str, list[Visit]]:
        """Visits grouped by caller; linked call ids count as one, named after the id that came first."""
        leader: dict[str, str] = {}

        def find(call: str) -> str:
            while leader.get(call, call) != call:
                call = leader[call]
            return call

        first_seen = {visit.call: visit.entered_at for visit in reversed(self.visits)}
        for visit in self.visits:
            if visit.linked_call:
                one, other = find(visit.call), find(visit.linked_call)
                ranked = sorted({one, other}, key=lambda call: (first_seen.get(call, visit.entered_at), call))
                for call in ranked:
                    leader[call] = ranked[0]
        groups: dict[str, list[Visit]] = defaultdict(list)
        for visit in self.visits:
            groups[find(visit.call)].append(visit)
        return dict(groups)


def _nearest(
    visits: Iterable[Visit], expected: int, time_of: Callable[[Visit], int | None], tolerance: int
) -> Visit | None:
    """The visit whose time is closest to `expected`, within `tolerance` seconds; ties go to the older visit."""
    found, best = None, tolerance + 1
    for visit in visits:
        at = time_of(visit)
        if at is not None and abs(at - expected) < best:
            found, best = visit, abs(at - expected)
    return found


class _Builder:
    """Matches exits and completions with the visits they belong to."""

    def __init__(self, events: list[QueueEvent]) -> None:
        self.events = events
        self.visits: list[Visit] = []
        self.of_queue: dict[str, list[Visit]] = defaultdict(list)
        self.entered = {event.call for event in events if event.kind == "ENTERQUEUE"}
        self.number = {
            event.call: event.data[1] for event in events if event.kind == "ENTERQUEUE" and len(event.data) > 1
        }
        self.agents_of: dict[str, set[str]] = defaultdict(set)
        for event in events:
            if event.kind == "CONNECT":
                self.agents_of[event.call].add(event.agent)

    def build(self) -> list[Visit]:
        """Entries first, then exits, then the ends of conversations; own call id before a foreign one."""
        for event in self.events:
            if event.kind == "ENTERQUEUE":
                self._add(Visit(event.queue, event.call, event.at))
        exits = [event for event in self.events if event.kind == "CONNECT" or event.kind in UNANSWERED]
        left = [event for event in exits if not self._exit(event, own=True)]
        left = [event for event in left if not self._exit(event, own=False)]
        for event in left:
            self._exit_without_entry(event)
        ends = [event for event in self.events if event.kind in COMPLETIONS]
        left = [event for event in ends if not self._end(event, own=True)]
        left = [event for event in left if not self._end(event, own=False)]
        for event in left:
            self._end_without_answer(event)
        for event in self.events:
            if event.kind in (UNOBSERVED, RESTARTED):
                self._lose(event)
        self._hold()
        return sorted(self.visits, key=lambda visit: (visit.entered_at, visit.queue, visit.call))

    def _add(self, visit: Visit) -> Visit:
        self.visits.append(visit)
        self.of_queue[visit.queue].append(visit)
        return visit

    def _exit(self, event: QueueEvent, *, own: bool) -> bool:
        """Close the waiting visit that this exit belongs to; a foreign id's only if that id entered a queue too.

        (In a consultation it did: the original caller's. An id never seen is a call whose entry was missed.)
        """
        if not own and event.call not in self.entered:
            return False
        waiting = (
            visit
            for visit in self.of_queue[event.queue]
            if visit.exited_at is None
            and (visit.call == event.call) is own
            and (own or self._is_consulting(visit.call, self.agents_of[event.call]))
        )
        visit = _nearest(waiting, event.at - seconds_waited(event), lambda one: one.entered_at, ROUNDING)
        if visit is None:
            return False
        self._close(visit, event)
        return True

    def _is_consulting(self, call: str, agents: set[str]) -> bool:
        """Whether a call into a queue is one of `agents` asking there on behalf of a caller; True if nobody knows."""
        return self.number.get(call, "") in agents | {""}

    def _exit_without_entry(self, event: QueueEvent) -> None:
        entered = event.at - seconds_waited(event)
        self._close(self._add(Visit(event.queue, event.call, entered, entry_observed=False)), event)

    @staticmethod
    def _close(visit: Visit, event: QueueEvent) -> None:
        # Each event's clock is rounded on its own: an end is never told before its beginning.
        visit.exit_class, visit.exited_at = EXIT_CLASS[event.kind], max(event.at, visit.entered_at)
        if event.kind == "CONNECT":
            visit.agent = event.agent
            visit.channel = (event.data[1] if len(event.data) > 1 else "") or None
        if visit.call != event.call:
            visit.linked_call = event.call

    def _end(self, event: QueueEvent, *, own: bool) -> bool:
        if not own and not (event.call in self.entered and self._is_consulting(event.call, {event.agent})):
            return False
        talking = (
            visit
            for visit in self.of_queue[event.queue]
            if visit.exit_class == "answered"
            and visit.ended_at is None
            and visit.agent == event.agent
            and (event.call in (visit.call, visit.linked_call)) is own
        )
        visit = _nearest(talking, event.at - seconds_talked(event), lambda one: one.exited_at, ROUNDING)
        if visit is None:
            return False
        self._finish(visit, event)
        return True

    def _end_without_answer(self, event: QueueEvent) -> None:
        answered = event.at - seconds_talked(event)
        waited = int(event.data[-3])
        waiting = (v for v in self.of_queue[event.queue] if v.exited_at is None and v.call == event.call)
        visit = _nearest(waiting, answered - waited, lambda one: one.entered_at, ROUNDING) or self._add(
            Visit(event.queue, event.call, answered - waited, entry_observed=False)
        )
        visit.exit_class, visit.exited_at, visit.agent = "answered", answered, event.agent
        self._finish(visit, event)

    def _lose(self, event: QueueEvent) -> None:
        for visit in self.visits:
            is_meant = event.kind == RESTARTED or event.call in (visit.call, visit.linked_call)
            if not is_meant or visit.entered_at > event.at or visit.is_over:
                continue
            if visit.exited_at is None:
                visit.exit_class, visit.exited_at = "unknown", event.at
            visit.end_lost = True

    def _hold(self) -> None:
        """Give each conversation the holds of its agent that began in it."""
        told: dict[str, list[QueueEvent]] = defaultdict(list)
        for event in self.events:
            if event.kind in (HOLD, UNHOLD):
                told[event.agent].append(event)
        talks: dict[str, list[Visit]] = defaultdict(list)
        for visit in self.visits:
            if visit.agent in told and visit.exit_class == "answered":
                talks[visit.agent].append(visit)
        for agent, visits in talks.items():
            answers = sorted(visit.exited_at or 0 for visit in visits)
            for visit in visits:
                # A conversation whose end is not known was over when its agent took the next call.
                following = next((at for at in answers if at > (visit.exited_at or 0)), FOREVER)
                until = following if visit.ended_at is None else visit.ended_at
                visit.holds = _joined(hold_spans(one for one in told[agent] if _concerns(one, visit)), visit, until)

    @staticmethod
    def _finish(visit: Visit, event: QueueEvent) -> None:
        visit.ended_at = max(event.at, visit.exited_at or event.at)
        visit.is_transferred = event.kind in ("BLINDTRANSFER", "TRANSFER", "ATTENDEDTRANSFER")
        if event.kind == "ATTENDEDTRANSFER" and event.call not in (visit.call, visit.linked_call):
            visit.linked_call = event.call


def _concerns(event: QueueEvent, visit: Visit) -> bool:
    """Whether a hold is of this conversation: by the call or the agent's channel, where both sides tell it."""
    if event.call not in ("", "NONE"):
        return event.call in (visit.call, visit.linked_call)
    return len(event.data) < 3 or visit.channel in (None, event.data[2])


def _joined(spans: Iterable[tuple[int, int]], visit: Visit, until: int) -> tuple[tuple[int, int | None], ...]:
    """The holds that begin in the conversation, cut at its end, overlaps joined."""
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if not (visit.exited_at or 0) <= start < until or end <= start:
            continue
        end = min(end, until)
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple((start, None if end == FOREVER else end) for start, end in found)


def build_calls(events: Iterable[QueueEvent]) -> Calls:
    """Visits and callers from queue events in any order, with any repetition."""
    return Calls(_Builder(sorted(set(events))).build())
