"""The clocks of a ticket, read from its history: what counted, what is left, when it is due (design: SLA clocks 1-8).

A clock is never stored as it runs. Its pauses are the spans of the history in which it stands still, intersected with
business time; so they survive any change of target, priority or calendar.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from core.business_time import BusinessCalendar

Clock = Literal["first_response", "resolution"]
Standing = Literal["running", "paused", "met", "missed", "void"]

CLOCK_NAMES: tuple[Clock, ...] = ("first_response", "resolution")
#: States in which the customer's answer is out of our hands: both clocks stand still.
PAUSED_STATES = frozenset({"pending"})
#: States in which the work is done: the resolution clock has ended, and goes on if the work is taken up again.
DONE_STATES = frozenset({"resolved", "in_review", "follow_up", "closed"})


@dataclass(frozen=True)
class Moment:
    """From `at` on the ticket is in `state`."""

    at: datetime
    state: str


@dataclass(frozen=True)
class Span:
    """The ticket was in `state` from `start` until `end`."""

    start: datetime
    end: datetime
    state: str


@dataclass(frozen=True)
class Terms:
    """What applies to one clock: the policy, its calendar and the target in business seconds."""

    policy_code: str
    calendar_code: str
    target_seconds: int

    def as_document(self) -> dict[str, Any]:
        """The form that the store holds."""
        return {
            "policy": self.policy_code,
            "calendar": self.calendar_code,
            "target_seconds": self.target_seconds,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Terms":
        """Back from what the store holds."""
        return cls(document["policy"], document["calendar"], document["target_seconds"])


@dataclass(frozen=True)
class Reading:
    """A clock as it stands at an instant.

    `due_at` is when the target is (or would have been) used up if the clock runs on from where it last ran.
    """

    clock: Clock
    standing: Standing
    started_at: datetime
    ended_at: datetime | None
    elapsed: timedelta
    due_at: datetime
    terms: Terms
    running: tuple[Span, ...]

    def used_up_at(self, percent: int, calendar: BusinessCalendar) -> datetime:
        """When that part of the target is used up, if the clock runs on."""
        amount = timedelta(seconds=self.terms.target_seconds) * percent / 100
        return used_up_at(self.running, amount, calendar, started_at=self.started_at)

    def as_document(self) -> dict[str, Any]:
        """The form that an event's details hold."""
        return self.terms.as_document() | {
            "standing": self.standing,
            "elapsed_seconds": self.elapsed.total_seconds(),
            "due_at": self.due_at.isoformat(),
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
        }


def spans(history: Sequence[Moment], until: datetime) -> list[Span]:
    """The history as stretches of one state each, the last one ending at `until` (and perhaps just begun)."""
    passed = [Span(before.at, after.at, before.state) for before, after in pairwise(history) if before.at < after.at]
    return [*passed, Span(history[-1].at, until, history[-1].state)] if history else passed


def resolved_at(history: Sequence[Moment]) -> datetime | None:
    """When the present resolution was reached; None while the work goes on, and for a cancelled ticket.

    A cancellation that was taken back leaves the resolution where it was.
    """
    since = None
    for moment in history:
        if moment.state != "cancelled":
            since = (since or moment.at) if moment.state in DONE_STATES else None
    return None if history[-1].state == "cancelled" else since


def _end(clock: Clock, history: Sequence[Moment], first_response_at: datetime | None) -> datetime | None:
    return first_response_at if clock == "first_response" else resolved_at(history)


def counts(clock: Clock, state: str) -> bool:
    """Whether the clock runs in a state (business hours granted)."""
    if state in PAUSED_STATES or state == "cancelled":
        return False
    return state not in DONE_STATES


def counting_spans(
    clock: Clock, history: Sequence[Moment], *, first_response_at: datetime | None, until: datetime
) -> list[Span]:
    """The spans in which the clock ran, up to `until` or its end, whichever comes first."""
    end = _end(clock, history, first_response_at)
    last = until if end is None else min(end, until)
    # A span that begins at the clock's end is none of its own; one that begins now is where it runs on from.
    begun = [moment for moment in history if moment.at < last or (end is None and moment.at == last)]
    return [span for span in spans(begun, last) if counts(clock, span.state)]


def used_up_at(
    running: Sequence[Span], amount: timedelta, calendar: BusinessCalendar, *, started_at: datetime
) -> datetime:
    """When `amount` of business time is used up over the counting spans; the last one is taken to run on for ever."""
    left = amount
    for number, span in enumerate(running, start=1):
        passed = calendar.elapsed(span.start, span.end)
        if left <= passed or number == len(running):
            return calendar.add(span.start, left)
        left -= passed
    return calendar.add(started_at, left)


def read(
    clock: Clock,
    history: Sequence[Moment],
    terms: Terms,
    calendar: BusinessCalendar,
    *,
    first_response_at: datetime | None,
    now: datetime,
) -> Reading:
    """The clock as it stands at `now`; `history` begins with the ticket's creation, in order of time."""
    started_at, state = history[0].at, history[-1].state
    end = _end(clock, history, first_response_at)
    running = counting_spans(clock, history, first_response_at=first_response_at, until=now)
    elapsed = sum((calendar.elapsed(span.start, span.end) for span in running), timedelta())
    due_at = used_up_at(running, timedelta(seconds=terms.target_seconds), calendar, started_at=started_at)
    standing: Standing
    if end is not None:
        standing = "met" if end <= due_at else "missed"
    elif state == "cancelled":
        standing = "void"
    else:
        standing = "running" if counts(clock, state) else "paused"
    return Reading(clock, standing, started_at, end, elapsed, due_at, terms, tuple(running))


def reached(reading: Reading, percent: int) -> bool:
    """Whether the clock still goes on and that part of its target is used up."""
    amount = timedelta(seconds=reading.terms.target_seconds) * percent / 100
    return reading.standing in ("running", "paused") and reading.elapsed >= amount
