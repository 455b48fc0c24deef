"""The closed loop of tickets, walked ticket by ticket in one compiled function.

States, kinds and roles are indexes into the store's TICKET_STATES, EVENT_KINDS and ACTOR_ROLES. Times are simulated ms.
"""

from typing import Any

import numpy as np

from crm_api.tickets.models import ACTOR_ROLES, EVENT_KINDS, TICKET_STATES
from simulator.columns import Flags, Floats, Ints
from simulator.jit import Whole, compiled

STEPS = ("dispatch", "return", "accept", "start", "pend", "resume", "resolve", "review", "reject", "approve", "close",
         "reopen")  # fmt: skip
(_DISPATCH, _RETURN, _ACCEPT, _START, _PEND, _RESUME, _RESOLVE, _REVIEW, _REJECT, _APPROVE, _CLOSE, _REOPEN) = range(12)
_S = {name: number for number, name in enumerate(TICKET_STATES)}
_K = {name: number for number, name in enumerate(EVENT_KINDS)}
_R = {name: number for number, name in enumerate(ACTOR_ROLES)}
NEW, DISPATCHED, ACCEPTED, IN_PROGRESS = _S["new"], _S["dispatched"], _S["accepted"], _S["in_progress"]
PENDING, RETURNED, RESOLVED, IN_REVIEW = _S["pending"], _S["returned"], _S["resolved"], _S["in_review"]
FOLLOW_UP, CLOSED, CANCELLED = _S["follow_up"], _S["closed"], _S["cancelled"]
_K_CREATED, _K_DISPATCHED, _K_ACCEPTED, _K_STARTED = _K["created"], _K["dispatched"], _K["accepted"], _K["started"]
_K_PENDED, _K_RESUMED, _K_RETURNED, _K_RESOLVED = _K["pended"], _K["resumed"], _K["returned"], _K["resolved"]
_K_REVIEW, _K_REJECTED, _K_APPROVED, _K_CLOSED = _K["review_started"], _K["rejected"], _K["approved"], _K["closed"]
_K_CANCELLED, _K_REOPENED = _K["cancelled"], _K["reopened"]
_AGENT, _DISPATCHER, _REVIEWER, _SUPERVISOR = _R["agent"], _R["dispatcher"], _R["reviewer"], _R["supervisor"]
_HANDLER, _LEAD, _SYSTEM = _R["branch_handler"], _R["branch_lead"], _R["system"]

NONE = np.iinfo(np.int64).min
#: Kinds from here on belong to a resolution and its review.
RESOLVING = _K_RESOLVED
#: Rows of the events that come out.
EVENT_FIELDS = ("ticket", "kind", "from_state", "to_state", "at", "role")
#: Rows of what comes out per ticket.
RESULT_FIELDS = ("state", "first_response", "resolved", "closed", "rejected", "reopened")
_MOST_EVENTS = 64
_DAY = 86_400_000
_OPENS, _ENDS = 8 * 3_600_000 + 1_800_000, 18 * 3_600_000
_MINUTE = 60_000


@compiled("int64(int64[:,::1], int64, int64, int64, int64, int64, int64, int64)")
def _note(
    events: Any, count: Whole, ticket: Whole, kind: Whole, before: Whole, after: Whole, at: Whole, role: Whole
) -> Whole:
    events[0, count], events[1, count], events[2, count] = ticket, kind, before
    events[3, count], events[4, count], events[5, count] = after, at, role
    return count + 1


@compiled("int64(int64[:,::1], int64, int64, int64, int64, int64, int64[:,::1])")
def _cancel(events: Any, count: Whole, ticket: Whole, state: Whole, now: Whole, end: Whole, results: Any) -> Whole:
    now += np.int64((10 + np.random.exponential(240.0)) * _MINUTE)
    if now >= end:
        return count
    results[0, ticket] = CANCELLED
    return _note(events, count, ticket, _K_CANCELLED, state, CANCELLED, now, _SUPERVISOR)


@compiled("int64(int64, int64, float64[:,::1], float64, float64, float64[::1], boolean[::1])")
def _after(now: Whole, step: Whole, steps: Any, delay: float, speed: float, shares: Any, office_days: Any) -> Whole:
    """When the step that follows `now` is done."""
    length = steps[step, 0] * np.exp(np.random.normal(0.0, 1.0) * steps[step, 1]) * speed
    if steps[step, 2] > 0:
        length *= delay
    done = now + max(np.int64(length), np.int64(20_000))
    if steps[step, 3] == 0:
        return done
    # A branch works in office hours; some work goes on at weekends.
    day, moment = done // _DAY, done % _DAY
    if moment >= _ENDS:
        day, moment = day + 1, -1
    elif moment < _OPENS:
        moment = -1
    while day < office_days.size and not office_days[day] and np.random.random() >= shares[4]:
        day, moment = day + 1, -1
    if moment < 0:
        moment = _OPENS + np.int64(np.random.random() * 150 * _MINUTE)
    return day * _DAY + moment


@compiled(
    "int64(int64, int64, int64, float64, float64, float64, int64, float64[:,::1], float64[::1], float64, "
    "boolean[::1], int64, int64[:,::1], int64, int64[:,::1])"
)
def _walk_one(
    ticket: Whole, created: Whole, by_system: Whole, at_once: float, delay: float, speed: float, outage_end: Whole,
    steps: Any, shares: Any, reopened_share: float, office_days: Any, end: Whole, events: Any, count: Whole,
    results: Any,
) -> Whole:  # fmt: skip
    results[1, ticket] = results[2, ticket] = results[3, ticket] = NONE
    plain = outage_end == NONE
    now = created
    state = NEW
    count = _note(events, count, ticket, _K_CREATED, -1, NEW, now, _SYSTEM if by_system == 1 else _AGENT)
    results[0, ticket] = NEW

    if plain and np.random.random() < at_once:
        now += np.int64((1 + np.random.exponential(shares[5])) * _MINUTE)
        if now < end:
            count = _note(events, count, ticket, _K_CLOSED, NEW, CLOSED, now, _AGENT)
            results[0, ticket] = CLOSED
            results[1, ticket] = results[2, ticket] = results[3, ticket] = now
        return count

    # 0 after creation, 1 once dispatched, 2 while in progress; 9 never.
    cancelled_at = 9
    if plain and np.random.random() < shares[0]:
        cancelled_at = np.random.randint(0, 3)
    rounds = 0
    while state != IN_PROGRESS:
        if cancelled_at == 0:
            return _cancel(events, count, ticket, state, now, end, results)
        # To the branch, perhaps back and out again.
        now = _after(now, _DISPATCH, steps, delay, speed, shares, office_days)
        if now >= end:
            return count
        count = _note(events, count, ticket, _K_DISPATCHED, state, DISPATCHED, now, _DISPATCHER)
        state = results[0, ticket] = DISPATCHED
        if cancelled_at == 1:
            return _cancel(events, count, ticket, state, now, end, results)
        if plain and rounds < 3 and np.random.random() < shares[1]:
            now = _after(now, _RETURN, steps, delay, speed, shares, office_days)
            if now >= end:
                return count
            count = _note(events, count, ticket, _K_RETURNED, DISPATCHED, RETURNED, now, _LEAD)
            state = results[0, ticket] = RETURNED
            rounds += 1
            continue
        now = _after(now, _ACCEPT, steps, delay, speed, shares, office_days)
        if now >= end:
            return count
        count = _note(events, count, ticket, _K_ACCEPTED, DISPATCHED, ACCEPTED, now, _HANDLER)
        results[0, ticket] = ACCEPTED
        results[1, ticket] = now
        now = _after(now, _START, steps, delay, speed, shares, office_days)
        if now >= end:
            return count
        count = _note(events, count, ticket, _K_STARTED, ACCEPTED, IN_PROGRESS, now, _HANDLER)
        state = results[0, ticket] = IN_PROGRESS
    if cancelled_at == 2:
        return _cancel(events, count, ticket, state, now, end, results)

    while True:
        if plain and np.random.random() < shares[2]:
            now = _after(now, _PEND, steps, delay, speed, shares, office_days)
            if now >= end:
                return count
            count = _note(events, count, ticket, _K_PENDED, IN_PROGRESS, PENDING, now, _HANDLER)
            results[0, ticket] = PENDING
            now = _after(now, _RESUME, steps, delay, speed, shares, office_days)
            if now >= end:
                return count
            count = _note(events, count, ticket, _K_RESUMED, PENDING, IN_PROGRESS, now, _HANDLER)
            results[0, ticket] = IN_PROGRESS
        # Resolved, reviewed, perhaps rejected and worked again.
        tries = 0
        while True:
            if plain:
                pace = speed if tries == 0 else 0.5 * speed
                now = _after(now, _RESOLVE, steps, delay, pace, shares, office_days)
            else:
                now = max(now, outage_end) + np.int64((4 + 30 * np.random.random()) * _MINUTE)
            if now >= end:
                return count
            count = _note(events, count, ticket, _K_RESOLVED, IN_PROGRESS, RESOLVED, now, _HANDLER)
            results[0, ticket] = RESOLVED
            results[2, ticket] = now
            now = _after(now, _REVIEW, steps, delay, 1.0, shares, office_days)
            if now >= end:
                return count
            count = _note(events, count, ticket, _K_REVIEW, RESOLVED, IN_REVIEW, now, _REVIEWER)
            results[0, ticket] = IN_REVIEW
            if not plain or tries >= 3 or np.random.random() >= shares[3] * np.sqrt(delay):
                break
            now = _after(now, _REJECT, steps, delay, 1.0, shares, office_days)
            if now >= end:
                return count
            count = _note(events, count, ticket, _K_REJECTED, IN_REVIEW, IN_PROGRESS, now, _REVIEWER)
            results[0, ticket] = IN_PROGRESS
            results[2, ticket] = NONE
            results[4, ticket] += 1
            tries += 1
        now = _after(now, _APPROVE, steps, delay, 1.0, shares, office_days)
        if now >= end:
            return count
        count = _note(events, count, ticket, _K_APPROVED, IN_REVIEW, FOLLOW_UP, now, _REVIEWER)
        results[0, ticket] = FOLLOW_UP
        now = _after(now, _CLOSE, steps, delay, 1.0, shares, office_days)
        if now >= end:
            return count
        count = _note(events, count, ticket, _K_CLOSED, FOLLOW_UP, CLOSED, now, _REVIEWER)
        results[0, ticket] = CLOSED
        results[3, ticket] = now
        if not plain or results[5, ticket] > 0 or np.random.random() >= reopened_share:
            return count
        closed = now
        now = _after(now, _REOPEN, steps, delay, 1.0, shares, office_days)
        if now >= end or now - closed > shares[6] * _DAY:
            return count
        count = _note(events, count, ticket, _K_REOPENED, CLOSED, IN_PROGRESS, now, _DISPATCHER)
        results[0, ticket] = IN_PROGRESS
        results[2, ticket] = results[3, ticket] = NONE
        results[5, ticket] = 1


@compiled(
    "Tuple((int64[:,::1], int64[:,::1], int64))(int64, int64[::1], int64[::1], float64[::1], float64[::1], "
    "float64[::1], int64[::1], float64[:,::1], float64[::1], float64[::1], boolean[::1], int64)"
)
def _walk(
    seed: Whole,
    created: Any,
    by_system: Any,
    at_once: Any,
    delay: Any,
    speed: Any,
    outage_end: Any,
    steps: Any,
    shares: Any,
    reopened_share: Any,
    office_days: Any,
    end: Whole,
) -> Any:
    """The compiled part of `walk`: events with room to spare, results, and how many events there are."""
    np.random.seed(seed)
    tickets = created.size
    events = np.empty((6, tickets * 12 + _MOST_EVENTS), np.int64)
    results = np.zeros((6, tickets), np.int64)
    count = 0
    for ticket in range(tickets):
        if count + _MOST_EVENTS > events.shape[1]:
            grown = np.empty((6, events.shape[1] * 2), np.int64)
            for row in range(6):
                for position in range(count):
                    grown[row, position] = events[row, position]
            events = grown
        count = _walk_one(
            ticket, created[ticket], by_system[ticket], at_once[ticket], delay[ticket], speed[ticket],
            outage_end[ticket], steps, shares, reopened_share[ticket], office_days, end, events, count, results,
        )  # fmt: skip
    return events, results, count


def walk(
    seed: int, created: Ints, by_system: Ints, at_once: Floats, delay: Floats, speed: Floats, outage_end: Ints,
    steps: Floats, shares: Floats, reopened_share: Floats, office_days: Flags, end: int,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Walk every ticket until its loop closes or the period ends.

    Args:
        seed: of numba's own generator. created: ms. by_system: 1 for the parents of outages. at_once: probability of
            an answer at once. delay: the city's factor. speed: factor on all delays. outage_end: NONE, or when the
            network works again: then the ticket is resolved, without detours.
        steps: STEPS × (median ms, log sd, 1 if the city's delay counts, 1 if it waits for office hours).
        shares: cancelled, returned, pended, rejected, weekend duty, minutes of an answer at once, most days to reopen.
        reopened_share: per ticket. office_days: per simulated day, later days are taken as worked. end: ms.

    Returns:
        events (EVENT_FIELDS × n, ticket by ticket in order) and results (RESULT_FIELDS × tickets; NONE for no time).
    """
    events, results, count = _walk(
        seed, created, by_system, at_once, delay, speed, outage_end, steps, shares, reopened_share, office_days, end
    )
    return events[:, :count].copy(), results
