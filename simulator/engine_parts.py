"""What the engine is made of: its codes and fields, a heap of events, queues and idle agents."""

from typing import Any

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
FREE, LEAVE, RETURN, TRANSFER_NOW, REDIAL_NOW = 0, 1, 2, 3, 4
OUT, IDLE, BUSY = 0, 1, 2
DAY = 86_400_000
#: A redial hears a short announcement before it joins the queue again.
REDIAL_IVR = 14_000
ID_BITS, KIND_BITS = 28, 3

# Rows of the two-dimensional arrays that the engine takes and gives.
CONTACT_FIELDS = ("enter", "queue", "patience", "talk", "hold", "wrap", "alert", "missed", "transfer", "redial", "key")
ENTER, QUEUE, PATIENCE, TALK, HOLD, WRAP, ALERT, MISSED, TRANSFER, REDIAL, KEY = range(11)
VISIT_FIELDS = ("contact", "number", "queue", "enter", "exit", "exit_class", "agent", "alert", "hold_start", "hold_end",
                "end", "wrap_end", "transferred", "missed_agent", "missed_start", "missed_end")  # fmt: skip
(V_CONTACT, V_NUMBER, V_QUEUE, V_ENTER, V_EXIT, V_CLASS, V_AGENT, V_ALERT, V_HOLD_START, V_HOLD_END, V_END, V_WRAP_END,
 V_TRANSFERRED, V_MISSED_AGENT, V_MISSED_START, V_MISSED_END) = range(16)  # fmt: skip
INTERVAL_FIELDS = ("agent", "kind", "reason", "start", "end", "contact")


@compiled("int64(int64[::1], int64, int64)")
def push(heap: Any, size: Whole, key: Whole) -> Whole:
    position = size
    while position > 0:
        parent = (position - 1) >> 1
        if heap[parent] <= key:
            break
        heap[position] = heap[parent]
        position = parent
    heap[position] = key
    return size + 1


@compiled("int64(int64[::1], int64)")
def pop(heap: Any, size: Whole) -> Whole:
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


@compiled("int64(int64, int64, int64)")
def event(time: Whole, kind: Whole, number: Whole) -> Whole:
    return (((time << KIND_BITS) | kind) << ID_BITS) | number


@compiled("int64(int64[:,::1], int64, int64, int64, int64, int64, int64, int64)")
def note(
    intervals: Any, count: Whole, agent: Whole, kind: Whole, reason: Whole, start: Whole, end: Whole, contact: Whole
) -> Whole:
    intervals[0, count], intervals[1, count], intervals[2, count] = agent, kind, reason
    intervals[3, count], intervals[4, count], intervals[5, count] = start, end, contact
    return count + 1


@compiled("int64(int64[:,::1], int64[:,::1], int64, int64)")
def leaves_at(contacts: Any, visits: Any, visit: Whole, timeout: Whole) -> Whole:
    """When the caller of a waiting visit leaves by itself: patience, key or time limit."""
    contact = visits[V_CONTACT, visit]
    wait = min(contacts[PATIENCE, contact], timeout)
    if contacts[KEY, contact] >= 0:
        wait = min(wait, contacts[KEY, contact])
    return visits[V_ENTER, visit] + wait


@compiled("int64(int64[:,::1], int64[:,::1], int64, int64, int64[::1], int64)")
def leave(contacts: Any, visits: Any, visit: Whole, at: Whole, heap: Any, heap_size: Whole) -> Whole:
    """Let the caller of a visit go: patience, a pressed key or the time limit, whichever was due; the heap's size."""
    contact = visits[V_CONTACT, visit]
    waited = at - visits[V_ENTER, visit]
    visits[V_EXIT, visit] = at
    if contacts[PATIENCE, contact] <= waited:
        visits[V_CLASS, visit] = ABANDONED
        if contacts[REDIAL, contact] >= 0:
            again = at + contacts[REDIAL, contact] + REDIAL_IVR
            return push(heap, heap_size, event(again, REDIAL_NOW, contact))
    elif contacts[KEY, contact] >= 0 and contacts[KEY, contact] <= waited:
        visits[V_CLASS, visit] = KEY_EXIT
    else:
        visits[V_CLASS, visit] = TIMEOUT
    return heap_size


@compiled("int64(int64[:,::1], int64, int64[:,::1], int64[:,::1], int64[::1], int64[::1], int8[::1], int64[::1])")
def longest_idle(
    prefers: Any, queue: Whole, idle: Any, idle_stamp: Any, idle_head: Any, idle_tail: Any, state: Any, stamp: Any
) -> Whole:
    """The agent idle for longest in the first group that serves the queue and has one; -1: nobody."""
    for choice in range(prefers.shape[1]):
        group = prefers[queue, choice]
        if group < 0:
            return -1
        while idle_head[group] < idle_tail[group]:
            agent = idle[group, idle_head[group]]
            if state[agent] == IDLE and stamp[agent] == idle_stamp[group, idle_head[group]]:
                return agent
            idle_head[group] += 1
    return -1


@compiled("int64(int64[:,::1], int64, int64[::1], int64[:,::1], int64[::1], int64[::1], boolean[::1], int64[:,::1])")
def next_caller(
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
            better = rank[queue] < best_rank or (rank[queue] == best_rank and visits[V_ENTER, visit] < best_enter)
            if best < 0 or better:
                best, best_rank, best_enter = visit, rank[queue], visits[V_ENTER, visit]
    return best
