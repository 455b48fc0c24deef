"""The queues and their agents, event by event: who waits, who answers, who gives up.

One compiled function plays the arrivals and the roster of a stretch of days. All times are whole milliseconds from the
beginning of the stretch. Durations (talk, patience, …) are drawn beforehand; waiting times come out.
"""

from typing import Any

import numpy as np

from simulator.columns import Floats, Ints
from simulator.engine_parts import (
    ALERT,
    ANSWERED,
    AVAILABLE,
    BUSY,
    DAY,
    ENTER,
    FREE,
    FULL,
    HOLD,
    ID_BITS,
    IDLE,
    JOIN_EMPTY,
    KIND_BITS,
    LEAVE,
    LEAVE_EMPTY,
    LOG_IN,
    MISSED,
    MISSED_ALERT,
    OUT,
    PATIENCE,
    PAUSE,
    PAUSED,
    QUEUE,
    REDIAL,
    RETURN,
    TALK,
    TRANSFER,
    TRANSFER_NOW,
    V_AGENT,
    V_ALERT,
    V_CLASS,
    V_CONTACT,
    V_END,
    V_ENTER,
    V_EXIT,
    V_HOLD_END,
    V_HOLD_START,
    V_MISSED_AGENT,
    V_MISSED_END,
    V_MISSED_START,
    V_NUMBER,
    V_QUEUE,
    V_TRANSFERRED,
    V_WRAP_END,
    WRAP,
    event,
    leave,
    leaves_at,
    longest_idle,
    next_caller,
    note,
    pop,
    push,
)
from simulator.jit import Whole, compiled


@compiled(
    "Tuple((int64[:,::1], int64[::1], int8[::1], int64[:,::1], int64[:,::1], int64, int64, int64))("
    "int64[:,::1], int64[:,::1], int64[::1], float64[::1], int64[:,::1], int64[:,::1], int64[::1], "
    "int64, float64, int64, int64, int64, int64, int64, int64)"
)
def _play(
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
    """The compiled part of `run`: arrays with room to spare, and how much of each is filled."""
    first_contacts = base.shape[1]
    contact_room = first_contacts + first_contacts // 2 + 16
    contacts = np.empty((11, contact_room), np.int64)
    for row in range(11):
        for position in range(first_contacts):
            contacts[row, position] = base[row, position]
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
    # Neither out nor at a pause: the last one does not go.
    present = np.zeros(groups, np.int64)
    on_pause = np.zeros(agents, np.bool_)

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
        heap_time = (heap[0] >> (ID_BITS + KIND_BITS)) if heap_size > 0 else far
        now = min(contact_time, roster_time, heap_time)
        if now == far:
            break
        new_visit_of = -1  # a contact that joins a queue now
        new_queue, new_number = 0, 1
        free_agent = -1  # an agent who can take the next caller now
        offered = False  # … because a caller is there: a pause that is due waits for the end of the call
        emptied = False  # somebody logged out

        if roster_time == now:
            kind, agent = roster[1, next_roster], roster[2, next_roster]
            value, extra = roster[3, next_roster], roster[4, next_roster]
            next_roster += 1
            if kind == LOG_IN:
                state[agent] = BUSY
                shift_end[agent], since[agent] = value, now
                leaving[agent], staying[agent], pause_due[agent] = 0, 0, 0
                for q in range(queues):
                    serving[q] += serves[agent_group[agent], q]
                present[agent_group[agent]] += 1
                free_agent = agent
            elif kind == PAUSE:
                if state[agent] != OUT and now + value <= shift_end[agent]:
                    pause_due[agent], pause_reason[agent] = value, extra
                    if state[agent] == IDLE:
                        free_agent = agent
            elif state[agent] != OUT:
                leaving[agent], staying[agent] = 1, value
                if state[agent] == IDLE:
                    free_agent = agent
        elif heap_time == now:
            number = heap[0] & ((1 << ID_BITS) - 1)
            kind = (heap[0] >> ID_BITS) & ((1 << KIND_BITS) - 1)
            heap_size = pop(heap, heap_size)
            if kind == FREE:
                if on_pause[number]:
                    on_pause[number] = False
                    present[agent_group[number]] += 1
                since[number] = now
                free_agent = number
            elif kind == LEAVE:
                if waiting[number]:
                    waiting[number] = False
                    in_line[visits[V_QUEUE, number]] -= 1
                    heap_size = leave(contacts, visits, number, now, heap, heap_size)
            elif kind == RETURN:
                # It rang in vain: back to the head of the queue.
                q = visits[V_QUEUE, number]
                line_head[q] -= 1
                line[q, line_head[q]] = number
                waiting[number] = True
                in_line[q] += 1
                heap_size = push(heap, heap_size, event(leaves_at(contacts, visits, number, timeout), LEAVE, number))
                free_agent = longest_idle(prefers, q, idle, idle_stamp, idle_head, idle_tail, state, stamp)
                offered = True
            elif kind == TRANSFER_NOW:
                new_visit_of, new_queue, new_number = number, contacts[TRANSFER, number], 2
            elif now % DAY < closes and contact_count < contact_room:
                # A redial is a new contact, with everything of the old one but its outcome.
                for row in range(11):
                    contacts[row, contact_count] = contacts[row, number]
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
                visits[V_CONTACT, visit], visits[V_NUMBER, visit] = new_visit_of, new_number
                visits[V_QUEUE, visit] = new_queue
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
                    free_agent = longest_idle(prefers, new_queue, idle, idle_stamp, idle_head, idle_tail, state, stamp)
                    offered = True
                    # Also for one who is offered to an agent, who may not take it.
                    heap_size = push(heap, heap_size, event(leaves_at(contacts, visits, visit, timeout), LEAVE, visit))

        if free_agent >= 0:
            agent = free_agent
            group = agent_group[agent]
            after_hours = now % DAY >= closes
            may_take = leaving[agent] == 0 or (staying[agent] == 1 and now % DAY < closes + grace)
            if now + pause_due[agent] > shift_end[agent]:
                pause_due[agent] = 0
            goes = pause_due[agent] > 0 and present[group] > 1 and not offered
            visit = -1
            if may_take and not goes:
                visit = next_caller(serves, group, rank, line, line_head, line_tail, waiting, visits)
            if visit < 0 and leaving[agent] == 1:
                if state[agent] == IDLE and now > since[agent]:
                    interval_count = note(intervals, interval_count, agent, AVAILABLE, -1, since[agent], now, -1)
                state[agent] = OUT
                stamp[agent] += 1
                for q in range(queues):
                    serving[q] -= serves[group, q]
                present[group] -= 1
                emptied = True
            elif goes:
                if state[agent] == IDLE and now > since[agent]:
                    interval_count = note(intervals, interval_count, agent, AVAILABLE, -1, since[agent], now, -1)
                end = now + pause_due[agent]
                interval_count = note(intervals, interval_count, agent, PAUSED, pause_reason[agent], now, end, -1)
                heap_size = push(heap, heap_size, event(end, FREE, agent))
                pause_due[agent] = 0
                on_pause[agent] = True
                present[group] -= 1
                state[agent] = BUSY
                stamp[agent] += 1
            elif visit < 0:
                if state[agent] != IDLE:
                    since[agent] = now
                    state[agent] = IDLE
                    stamp[agent] += 1
                    idle[group, idle_tail[group]] = agent
                    idle_stamp[group, idle_tail[group]] = stamp[agent]
                    idle_tail[group] += 1
            else:
                if state[agent] == IDLE and now > since[agent]:
                    interval_count = note(intervals, interval_count, agent, AVAILABLE, -1, since[agent], now, -1)
                state[agent] = BUSY
                stamp[agent] += 1
                q = visits[V_QUEUE, visit]
                contact = visits[V_CONTACT, visit]
                waiting[visit] = False
                in_line[q] -= 1
                leaves = leaves_at(contacts, visits, visit, timeout)
                rings = contacts[ALERT, contact]
                missed = contacts[MISSED, contact] == 1 and visits[V_MISSED_AGENT, visit] < 0 and not after_hours
                if missed:
                    rings = np.int64(no_answer)
                if leaves <= now + rings:
                    # Hangs up while it rings at the agent's place.
                    heap_size = leave(contacts, visits, visit, leaves, heap, heap_size)
                    if leaves > now:
                        interval_count = note(intervals, interval_count, agent, MISSED_ALERT, -1, now, leaves, contact)
                    heap_size = push(heap, heap_size, event(leaves, FREE, agent))
                elif missed:
                    end = now + rings
                    visits[V_MISSED_AGENT, visit], visits[V_MISSED_START, visit], visits[V_MISSED_END, visit] = (
                        agent,
                        now,
                        end,
                    )
                    interval_count = note(intervals, interval_count, agent, MISSED_ALERT, -1, now, end, contact)
                    interval_count = note(
                        intervals, interval_count, agent, PAUSED, no_answer_reason, end, end + no_answer_pause, -1
                    )
                    heap_size = push(heap, heap_size, event(end, RETURN, visit))
                    heap_size = push(heap, heap_size, event(end + no_answer_pause, FREE, agent))
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
                        heap_size = push(heap, heap_size, event(visits[V_END, visit], TRANSFER_NOW, contact))
                    heap_size = push(heap, heap_size, event(visits[V_WRAP_END, visit], FREE, agent))

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

    return contacts, origin, entered, visits, intervals, contact_count, visit_count, interval_count


def run(
    base: Ints,
    roster: Ints,
    agent_group: Ints,
    agent_speed: Floats,
    serves: Ints,
    prefers: Ints,
    rank: Ints,
    *,
    full_least: int,
    full_per_agent: float,
    timeout: int,
    no_answer: int,
    no_answer_pause: int,
    no_answer_reason: int,
    closes: int,
    grace: int,
) -> tuple[Ints, Ints, Ints, Ints, Ints]:
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
    contacts, origin, entered, visits, intervals, contact_count, visit_count, interval_count = _play(
        np.ascontiguousarray(base), np.ascontiguousarray(roster), agent_group, agent_speed,
        np.ascontiguousarray(serves), np.ascontiguousarray(prefers), rank,
        full_least, full_per_agent, timeout, no_answer, no_answer_pause, no_answer_reason, closes, grace,
    )  # fmt: skip
    return (
        contacts[:, :contact_count].copy(),
        origin[:contact_count].copy(),
        entered[:contact_count].astype(np.int64),
        visits[:, :visit_count].copy(),
        intervals[:, :interval_count].copy(),
    )
