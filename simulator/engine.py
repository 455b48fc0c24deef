"""The queues and their agents, event by event: who waits, who answers, who gives up.

One compiled function plays the arrivals and the roster of a stretch of days. All times are whole milliseconds from the
beginning of the stretch. Durations (talk, patience, …) are drawn beforehand; waiting times come out.
"""

from typing import Any

import numpy as np

from simulator.jit import Whole, compiled

# What a roster event says.
LOG_IN, PAUSE, LOG_OUT = 0, 1, 2
# How a visit ends; the order of EXIT_NAMES.
ANSWERED, ABANDONED, TIMEOUT, KEY_EXIT, LEAVE_EMPTY = 0, 1, 2, 3, 4
EXIT_NAMES = ("answered", "abandoned", "timeout", "key_exit", "leave_empty")
# Why a caller never got into a queue.
ENTERED, FULL, JOIN_EMPTY = 0, 1, 2
# Intervals that the engine itself reports (the others follow from the answered visits).
AVAILABLE, PAUSED, MISSED_ALERT = 0, 1, 2

# Events of the heap, in the order in which they happen within a millisecond.
_FREE, _LEAVE, _RETURN, _TRANSFER, _REDIAL = 0, 1, 2, 3, 4
_OUT, _IDLE, _BUSY = 0, 1, 2
_DAY = 86_400_000
#: A redial hears a short announcement before it joins the queue again.
REDIAL_IVR = 14_000
_ID_BITS, _KIND_BITS = 28, 3

# Rows of the two-dimensional arrays that the engine takes and gives.
CONTACT_FIELDS = ("enter", "queue", "patience", "talk", "hold", "wrap", "alert", "missed", "transfer", "redial", "key")
ENTER, QUEUE, PATIENCE, TALK, HOLD, WRAP, ALERT, MISSED, TRANSFER, REDIAL, KEY = range(11)
VISIT_FIELDS = ("contact", "number", "queue", "enter", "exit", "exit_class", "agent", "alert", "hold_start", "hold_end",
                "end", "wrap_end", "transferred", "missed_agent", "missed_start", "missed_end")  # fmt: skip
(V_CONTACT, V_NUMBER, V_QUEUE, V_ENTER, V_EXIT, V_CLASS, V_AGENT, V_ALERT, V_HOLD_START, V_HOLD_END, V_END, V_WRAP_END,
 V_TRANSFERRED, V_MISSED_AGENT, V_MISSED_START, V_MISSED_END) = range(16)  # fmt: skip
INTERVAL_FIELDS = ("agent", "kind", "reason", "start", "end", "contact")


@compiled
def _push(heap: Any, size: Whole, key: Whole) -> Whole:
    position = size
    while position > 0:
        parent = (position - 1) >> 1
        if heap[parent] <= key:
            break
        heap[position] = heap[parent]
        position = parent
    heap[position] = key
    return size + 1


@compiled
def _pop(heap: Any, size: Whole) -> Whole:
    """Remove the smallest key (the caller has read heap[0]); the new size."""
    size -= 1
    key = heap[size]
    position = 0
    while True:
        child = 2 * position + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= key:
            break
        heap[position] = heap[child]
        position = child
    heap[position] = key
    return size


@compiled
def _event(time: Whole, kind: Whole, number: Whole) -> Whole:
    return (((time << _KIND_BITS) | kind) << _ID_BITS) | number


@compiled
def run(
    base: Any,
    roster: Any,
    agent_group: Any,
    agent_speed: Any,
    serves: Any,
    prefers: Any,
    rank: Any,
    full_least: Whole,
    full_per_agent: float,
    timeout: Whole,
    no_answer: Whole,
    no_answer_pause: Whole,
    no_answer_reason: Whole,
    closes: Whole,
    grace: Whole,
) -> Any:
    """Play one stretch.

    Args:
        base: CONTACT_FIELDS × contacts, sorted by `enter`. `transfer` is a queue or -1; `redial` the time until a
            caller who gave up tries again, or -1; `key` the wait after which a key is pressed, or -1; `missed` 1 if
            the first agent lets it ring.
        roster: (time, kind, agent, value, extra) × events, sorted: LOG_IN (value: shift's end), PAUSE (value:
            duration, extra: reason), LOG_OUT (value: 1 if the agent stays for those still waiting at closing).
        agent_group, agent_speed: per agent, skill group and factor on talk and wrap-up.
        serves: groups × queues, 1 where served. prefers: queues × groups, groups in order of choice, then -1.
        rank: per queue, 0 goes first. closes: local ms of the day after which no caller redials; grace: how long
            after it the last agents still take those who wait.

    Returns:
        contacts (CONTACT_FIELDS × n, redials appended), origin (redialled contact or -1), entered (ENTERED, FULL,
        JOIN_EMPTY), visits (VISIT_FIELDS × n), intervals (INTERVAL_FIELDS × n).
    """
    first_contacts = base.shape[1]
    contact_room = first_contacts + first_contacts // 2 + 16
    contacts = np.empty((11, contact_room), np.int64)
    contacts[:, :first_contacts] = base
    origin = np.full(contact_room, -1, np.int64)
    entered = np.zeros(contact_room, np.int8)
    contact_count = first_contacts

    visit_room = contact_room + contact_room // 4 + 16
    visits = np.full((16, visit_room), -1, np.int64)
    waiting = np.zeros(visit_room, np.bool_)
    visit_count = 0

    agents, groups, queues = agent_group.size, serves.shape[0], serves.shape[1]
    interval_room = 2 * visit_room + 4 * roster.shape[1] + 2 * agents + 16
    intervals = np.empty((6, interval_room), np.int64)
    interval_count = 0

    state = np.zeros(agents, np.int8)
    since = np.zeros(agents, np.int64)
    stamp = np.zeros(agents, np.int64)
    shift_end = np.zeros(agents, np.int64)
    pause_due = np.zeros(agents, np.int64)
    pause_reason = np.zeros(agents, np.int64)
    leaving = np.zeros(agents, np.int8)
    staying = np.zeros(agents, np.int8)
    serving = np.zeros(queues, np.int64)

    idle_room = visit_room * 2 + 3 * roster.shape[1] + agents + 16
    idle = np.empty((groups, idle_room), np.int64)
    idle_stamp = np.empty((groups, idle_room), np.int64)
    idle_head = np.zeros(groups, np.int64)
    idle_tail = np.zeros(groups, np.int64)

    line = np.empty((queues, visit_room + 80), np.int64)
    line_head = np.full(queues, 64, np.int64)
    line_tail = np.full(queues, 64, np.int64)
    in_line = np.zeros(queues, np.int64)

    heap = np.empty(2 * visit_room + contact_room + agents + 64, np.int64)
    heap_size = 0
    next_contact, next_roster = 0, 0
    roster_count = roster.shape[1]
    far = np.int64(1) << 40

    while True:
        contact_time = contacts[ENTER, next_contact] if next_contact < first_contacts else far
        roster_time = roster[0, next_roster] if next_roster < roster_count else far
        heap_time = (heap[0] >> (_ID_BITS + _KIND_BITS)) if heap_size > 0 else far
        now = min(contact_time, roster_time, heap_time)
        if now == far:
            break
        new_visit_of = -1  # a contact that joins a queue now
        new_queue, new_number = 0, 1
        free_agent = -1  # an agent who can take the next caller now
        emptied = False  # somebody logged out

        if roster_time == now:
            kind, agent = roster[1, next_roster], roster[2, next_roster]
            value, extra = roster[3, next_roster], roster[4, next_roster]
            next_roster += 1
            if kind == LOG_IN:
                state[agent] = _BUSY
                shift_end[agent], since[agent] = value, now
                leaving[agent], staying[agent], pause_due[agent] = 0, 0, 0
                for q in range(queues):
                    serving[q] += serves[agent_group[agent], q]
                free_agent = agent
            elif kind == PAUSE:
                if state[agent] != _OUT and now + value <= shift_end[agent]:
                    pause_due[agent], pause_reason[agent] = value, extra
                    if state[agent] == _IDLE:
                        free_agent = agent
            elif state[agent] != _OUT:
                leaving[agent], staying[agent] = 1, value
                if state[agent] == _IDLE:
                    free_agent = agent
        elif heap_time == now:
            number = heap[0] & ((1 << _ID_BITS) - 1)
            kind = (heap[0] >> _ID_BITS) & ((1 << _KIND_BITS) - 1)
            heap_size = _pop(heap, heap_size)
            if kind == _FREE:
                since[number] = now
                free_agent = number
            elif kind == _LEAVE:
                if waiting[number]:
                    # Patience, a pressed key or the time limit: whichever was due now.
                    waiting[number] = False
                    in_line[visits[V_QUEUE, number]] -= 1
                    visits[V_EXIT, number] = now
                    contact = visits[V_CONTACT, number]
                    waited = now - visits[V_ENTER, number]
                    if contacts[PATIENCE, contact] <= waited:
                        visits[V_CLASS, number] = ABANDONED
                        if contacts[REDIAL, contact] >= 0:
                            heap_size = _push(
                                heap, heap_size, _event(now + contacts[REDIAL, contact] + REDIAL_IVR, _REDIAL, contact)
                            )
                    elif contacts[KEY, contact] >= 0 and contacts[KEY, contact] <= waited:
                        visits[V_CLASS, number] = KEY_EXIT
                    else:
                        visits[V_CLASS, number] = TIMEOUT
            elif kind == _RETURN:
                # It rang in vain: back to the head of the queue.
                q = visits[V_QUEUE, number]
                line_head[q] -= 1
                line[q, line_head[q]] = number
                waiting[number] = True
                in_line[q] += 1
                heap_size = _push(
                    heap, heap_size, _event(_leaves_at(contacts, visits, number, timeout), _LEAVE, number)
                )
                free_agent = _longest_idle(prefers, q, idle, idle_stamp, idle_head, idle_tail, state, stamp)
            elif kind == _TRANSFER:
                new_visit_of, new_queue, new_number = number, contacts[TRANSFER, number], 2
            elif now % _DAY < closes and contact_count < contact_room:
                # A redial is a new contact, with everything of the old one but its outcome.
                contacts[:, contact_count] = contacts[:, number]
                contacts[ENTER, contact_count] = now
                # Somebody who comes back waits a little longer, and gives up for today after that.
                contacts[PATIENCE, contact_count] = (
                    contacts[PATIENCE, number] + contacts[PATIENCE, number] // 3 + 20_000
                )
                contacts[REDIAL, contact_count] = -1
                origin[contact_count] = number
                new_visit_of, new_queue = contact_count, contacts[QUEUE, contact_count]
                contact_count += 1
        else:
            new_visit_of, new_queue = next_contact, contacts[QUEUE, next_contact]
            next_contact += 1

        if new_visit_of >= 0 and visit_count < visit_room:
            limit = max(np.int64(full_least), np.int64(full_per_agent * serving[new_queue]))
            if new_number == 1 and serving[new_queue] == 0:
                entered[new_visit_of] = JOIN_EMPTY
            elif new_number == 1 and in_line[new_queue] >= limit:
                entered[new_visit_of] = FULL
            else:
                visit = visit_count
                visit_count += 1
                visits[V_CONTACT, visit], visits[V_NUMBER, visit], visits[V_QUEUE, visit] = (
                    new_visit_of,
                    new_number,
                    new_queue,
                )
                visits[V_ENTER, visit] = now
                visits[V_TRANSFERRED, visit] = 0
                if serving[new_queue] == 0:
                    visits[V_EXIT, visit], visits[V_CLASS, visit] = now, LEAVE_EMPTY
                else:
                    # Even one who is answered at once passes through the queue.
                    line[new_queue, line_tail[new_queue]] = visit
                    line_tail[new_queue] += 1
                    waiting[visit] = True
                    in_line[new_queue] += 1
                    free_agent = _longest_idle(prefers, new_queue, idle, idle_stamp, idle_head, idle_tail, state, stamp)
                    if free_agent < 0:
                        leaves = _leaves_at(contacts, visits, visit, timeout)
                        heap_size = _push(heap, heap_size, _event(leaves, _LEAVE, visit))

        if free_agent >= 0:
            agent = free_agent
            group = agent_group[agent]
            after_hours = now % _DAY >= closes
            may_take = leaving[agent] == 0 or (staying[agent] == 1 and now % _DAY < closes + grace)
            visit = -1
            if pause_due[agent] == 0 and may_take:
                visit = _next_caller(serves, group, rank, line, line_head, line_tail, waiting, visits)
            if visit < 0 and leaving[agent] == 1:
                if state[agent] == _IDLE and now > since[agent]:
                    interval_count = _note(intervals, interval_count, agent, AVAILABLE, -1, since[agent], now, -1)
                state[agent] = _OUT
                stamp[agent] += 1
                for q in range(queues):
                    serving[q] -= serves[group, q]
                emptied = True
            elif visit < 0 and pause_due[agent] > 0:
                if state[agent] == _IDLE and now > since[agent]:
                    interval_count = _note(intervals, interval_count, agent, AVAILABLE, -1, since[agent], now, -1)
                end = now + pause_due[agent]
                interval_count = _note(intervals, interval_count, agent, PAUSED, pause_reason[agent], now, end, -1)
                heap_size = _push(heap, heap_size, _event(end, _FREE, agent))
                pause_due[agent] = 0
                state[agent] = _BUSY
                stamp[agent] += 1
            elif visit < 0:
                if state[agent] != _IDLE:
                    since[agent] = now
                    state[agent] = _IDLE
                    stamp[agent] += 1
                    idle[group, idle_tail[group]] = agent
                    idle_stamp[group, idle_tail[group]] = stamp[agent]
                    idle_tail[group] += 1
            else:
                if state[agent] == _IDLE and now > since[agent]:
                    interval_count = _note(intervals, interval_count, agent, AVAILABLE, -1, since[agent], now, -1)
                state[agent] = _BUSY
                stamp[agent] += 1
                q = visits[V_QUEUE, visit]
                contact = visits[V_CONTACT, visit]
                waiting[visit] = False
                in_line[q] -= 1
                leaves = _leaves_at(contacts, visits, visit, timeout)
                rings = contacts[ALERT, contact]
                missed = contacts[MISSED, contact] == 1 and visits[V_MISSED_AGENT, visit] < 0 and not after_hours
                if missed:
                    rings = np.int64(no_answer)
                if leaves <= now + rings:
                    # Hangs up while it rings at the agent's place.
                    visits[V_EXIT, visit] = leaves
                    waited = leaves - visits[V_ENTER, visit]
                    if contacts[PATIENCE, contact] <= waited:
                        visits[V_CLASS, visit] = ABANDONED
                        if contacts[REDIAL, contact] >= 0:
                            heap_size = _push(
                                heap,
                                heap_size,
                                _event(leaves + contacts[REDIAL, contact] + REDIAL_IVR, _REDIAL, contact),
                            )
                    elif contacts[KEY, contact] >= 0 and contacts[KEY, contact] <= waited:
                        visits[V_CLASS, visit] = KEY_EXIT
                    else:
                        visits[V_CLASS, visit] = TIMEOUT
                    if leaves > now:
                        interval_count = _note(intervals, interval_count, agent, MISSED_ALERT, -1, now, leaves, contact)
                    heap_size = _push(heap, heap_size, _event(leaves, _FREE, agent))
                elif missed:
                    end = now + rings
                    visits[V_MISSED_AGENT, visit], visits[V_MISSED_START, visit], visits[V_MISSED_END, visit] = (
                        agent,
                        now,
                        end,
                    )
                    interval_count = _note(intervals, interval_count, agent, MISSED_ALERT, -1, now, end, contact)
                    interval_count = _note(
                        intervals, interval_count, agent, PAUSED, no_answer_reason, end, end + no_answer_pause, -1
                    )
                    heap_size = _push(heap, heap_size, _event(end, _RETURN, visit))
                    heap_size = _push(heap, heap_size, _event(end + no_answer_pause, _FREE, agent))
                else:
                    answer = now + rings
                    talk = np.int64(contacts[TALK, contact] * agent_speed[agent])
                    wrap = np.int64(contacts[WRAP, contact] * agent_speed[agent])
                    target = contacts[TRANSFER, contact]
                    hands_on = target >= 0 and visits[V_NUMBER, visit] == 1 and serving[target] > 0 and not after_hours
                    if hands_on:
                        talk = talk // 3 + 5000
                    hold = contacts[HOLD, contact]
                    visits[V_EXIT, visit], visits[V_CLASS, visit], visits[V_AGENT, visit] = answer, ANSWERED, agent
                    visits[V_ALERT, visit] = now
                    visits[V_HOLD_START, visit] = answer + talk * 2 // 5
                    visits[V_HOLD_END, visit] = visits[V_HOLD_START, visit] + hold
                    visits[V_END, visit] = answer + talk + hold
                    visits[V_WRAP_END, visit] = visits[V_END, visit] + wrap
                    if hands_on:
                        visits[V_TRANSFERRED, visit] = 1
                        heap_size = _push(heap, heap_size, _event(visits[V_END, visit], _TRANSFER, contact))
                    heap_size = _push(heap, heap_size, _event(visits[V_WRAP_END, visit], _FREE, agent))

        if emptied:
            for q in range(queues):
                if serving[q] == 0 and in_line[q] > 0:
                    for position in range(line_head[q], line_tail[q]):
                        visit = line[q, position]
                        if waiting[visit]:
                            waiting[visit] = False
                            visits[V_EXIT, visit], visits[V_CLASS, visit] = now, LEAVE_EMPTY
                    in_line[q] = 0
                    line_head[q] = line_tail[q]

    return (
        contacts[:, :contact_count].copy(),
        origin[:contact_count].copy(),
        entered[:contact_count].copy(),
        visits[:, :visit_count].copy(),
        intervals[:, :interval_count].copy(),
    )


@compiled
def _note(
    intervals: Any, count: Whole, agent: Whole, kind: Whole, reason: Whole, start: Whole, end: Whole, contact: Whole
) -> Whole:
    intervals[0, count], intervals[1, count], intervals[2, count] = agent, kind, reason
    intervals[3, count], intervals[4, count], intervals[5, count] = start, end, contact
    return count + 1


@compiled
def _leaves_at(contacts: Any, visits: Any, visit: Whole, timeout: Whole) -> Whole:
    """When the caller of a waiting visit leaves by itself: patience, key or time limit."""
    contact = visits[V_CONTACT, visit]
    wait = min(contacts[PATIENCE, contact], timeout)
    if contacts[KEY, contact] >= 0:
        wait = min(wait, contacts[KEY, contact])
    return visits[V_ENTER, visit] + wait


@compiled
def _longest_idle(
    prefers: Any, queue: Whole, idle: Any, idle_stamp: Any, idle_head: Any, idle_tail: Any, state: Any, stamp: Any
) -> Whole:
    """The agent idle for longest in the first group that serves the queue and has one; -1: nobody."""
    for choice in range(prefers.shape[1]):
        group = prefers[queue, choice]
        if group < 0:
            return -1
        while idle_head[group] < idle_tail[group]:
            agent = idle[group, idle_head[group]]
            if state[agent] == _IDLE and stamp[agent] == idle_stamp[group, idle_head[group]]:
                return agent
            idle_head[group] += 1
    return -1


@compiled
def _next_caller(
    serves: Any, group: Whole, rank: Any, line: Any, line_head: Any, line_tail: Any, waiting: Any, visits: Any
) -> Whole:
    """The visit that an agent of the group takes next: best rank, then longest wait; -1: nobody waits."""
    best, best_rank, best_enter = -1, 0, 0
    for queue in range(serves.shape[1]):
        if serves[group, queue] == 0:
            continue
        while line_head[queue] < line_tail[queue] and not waiting[line[queue, line_head[queue]]]:
            line_head[queue] += 1
        if line_head[queue] < line_tail[queue]:
            visit = line[queue, line_head[queue]]
            if best < 0 or (rank[queue], visits[V_ENTER, visit]) < (best_rank, best_enter):
                best, best_rank, best_enter = visit, rank[queue], visits[V_ENTER, visit]
    return best
