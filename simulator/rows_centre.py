"""Rows of the centre: queues, seats, agents, their queues and shifts, and what happened on the floor."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from crm_api.workforce.models import AGENT_STATES
from simulator import engine_parts as parts
from simulator.calls import Floor
from simulator.clock import Clock
from simulator.columns import Ints, days, instants, keys, looked_up, rows_of, words
from simulator.contacts import Catalogue
from simulator.names import person_names
from simulator.parameters import Parameters
from simulator.places import Places
from simulator.roster import Roster
from simulator.staff import Staff

_CENTRE_OPENED_DAYS = 900
_AVAILABLE, _ALERTING, _TALK, _HOLD, _WRAP_UP, _PAUSE = (
    AGENT_STATES.index(name) for name in ("available", "alerting", "talk", "hold", "wrap_up", "pause")
)


def ids(count: int, first: int = 1) -> Ints:
    """Keys from `first` on."""
    return np.arange(first, first + count, dtype=np.int64)


def centre_rows(
    parameters: Parameters, catalogue: Catalogue, places: Places, roster: Roster, staff: Staff, clock: Clock, seed: int
) -> Iterator[tuple[str, pa.Table]]:
    """Queues, seats, agents, agent_queues and shifts of the whole period, parents first."""
    rng = np.random.default_rng([seed, 4])
    queues = [parameters.queues[code] for code in catalogue.queues]
    yield "queues", rows_of("queues", len(queues), {
        "id": keys(ids(len(queues))),
        "code": pa.array(catalogue.queues),
        "name_zh": pa.array([q.name_zh for q in queues]),
        "name_en": pa.array([q.name_en for q in queues]),
        "is_priority": pa.array([q.is_priority for q in queues]),
        "target_seconds": keys(np.array([q.target_seconds for q in queues])),
        "calendar_code": "hotline",
    })  # fmt: skip
    city_unit = dict(zip(places.city_codes, places.city_unit, strict=True))
    centre_unit = np.array([city_unit[code] for code in roster.centres])
    seats = len(roster.seat_centre)
    opened = int(clock.unix_day(np.array(0))) - _CENTRE_OPENED_DAYS
    yield "seats", rows_of("seats", seats, {
        "id": keys(ids(seats)),
        "code": pa.array([f"{roster.centres[c]}-{n:03d}" for c, n in
                          zip(roster.seat_centre, roster.seat_centre_number, strict=True)]),
        "centre_code": words(roster.centres, roster.seat_centre),
        "unit_id": keys(centre_unit[roster.seat_centre]),
        "calendar_code": "hotline",
        "installed_on": days(np.full(seats, opened)),
    })  # fmt: skip
    counter_city = np.repeat(np.arange(len(places.city_codes)), staff.counters)
    first = np.full(staff.online, places.city_unit[places.city_codes.index(roster.centres[0])])
    unit = np.concatenate([centre_unit[roster.agent_centre], first, places.city_unit[counter_city]])
    letters = np.repeat(["A", "W", "C"], [staff.hotline, staff.online, len(counter_city)])
    yield "agents", rows_of("agents", staff.count, {
        "id": keys(ids(staff.count)),
        "code": pa.array([f"{letter}{n:04d}" for n, letter in enumerate(letters, start=1)]),
        "name": person_names(rng, staff.count),
        "unit_id": keys(unit),
        "hired_on": days(opened + rng.integers(0, _CENTRE_OPENED_DAYS - 10, staff.count)),
    })  # fmt: skip
    pairs = [(agent, catalogue.queues.index(queue), rank) for agent, group in enumerate(roster.agent_group)
             for rank, queue in enumerate(roster.group_queues[group], start=1)]  # fmt: skip
    agent, queue, rank = np.array(pairs, np.int64).T
    yield "agent_queues", rows_of("agent_queues", len(pairs), {
        "id": keys(ids(len(pairs))),
        "agent_id": keys(agent + 1),
        "queue_id": keys(queue + 1),
        "skill_rank": keys(rank),
    })  # fmt: skip
    yield "shifts", rows_of("shifts", len(roster.shift_agent), {
        "id": keys(ids(len(roster.shift_agent))),
        "agent_id": keys(roster.shift_agent + 1),
        "seat_id": keys(roster.shift_seat + 1),
        "starts_at": instants(clock.utc_us(roster.shift_start)),
        "ends_at": instants(clock.utc_us(roster.shift_end)),
    })  # fmt: skip


def state_rows(floor: Floor, roster: Roster, clock: Clock, call_ids: Ints, first_id: int) -> pa.Table:
    """Agent-state intervals of a stretch: those that the engine reports and those of the answered visits.

    Args:
        call_ids: the call's key of each contact position that a visit names.
    """
    visits, own = floor.visits, floor.intervals
    answered = visits[:, visits[parts.V_CLASS] == parts.ANSWERED]
    agent, contact = answered[parts.V_AGENT], answered[parts.V_CONTACT]
    spans = [
        (_ALERTING, answered[parts.V_ALERT], answered[parts.V_EXIT]),
        (_TALK, answered[parts.V_EXIT], answered[parts.V_HOLD_START]),
        (_HOLD, answered[parts.V_HOLD_START], answered[parts.V_HOLD_END]),
        (_TALK, answered[parts.V_HOLD_END], answered[parts.V_END]),
        (_WRAP_UP, answered[parts.V_END], answered[parts.V_WRAP_END]),
    ]
    # Without a hold, the talk is one interval.
    plain = answered[parts.V_HOLD_START] == answered[parts.V_HOLD_END]
    spans[1] = (_TALK, answered[parts.V_EXIT], np.where(plain, answered[parts.V_END], spans[1][2]))
    spans[3] = (_TALK, np.where(plain, answered[parts.V_END], spans[3][1]), answered[parts.V_END])
    pieces = [(agent, np.full(len(agent), state), np.full(len(agent), -1), start, end, contact)
             for state, start, end in spans]  # fmt: skip
    kinds = np.array([_AVAILABLE, _PAUSE, _ALERTING])
    pieces.append((own[0], kinds[own[1]], own[2], own[3], own[4], own[5]))
    agent, state, reason, start, end, contact = (np.concatenate(column) for column in zip(*pieces, strict=True))
    kept = np.flatnonzero(end > start)
    kept = kept[np.argsort(start[kept], kind="stable")]
    agent, state, reason, start, end, contact = (c[kept] for c in (agent, state, reason, start, end, contact))
    paid = np.array(roster.pause_paid)
    return rows_of("agent_states", len(agent), {
        "id": keys(ids(len(agent), first_id)),
        "agent_id": keys(agent + 1),
        "seat_id": keys(roster.seat_at(agent, start) + 1),
        "call_id": keys(looked_up(call_ids, contact)),
        "state": words(AGENT_STATES, state),
        "pause_reason": words(roster.pause_reasons, reason),
        "pause_paid": pa.array(paid[reason], mask=reason < 0),
        "started_at": instants(clock.utc_us(start)),
        "ended_at": instants(clock.utc_us(end)),
        "source": "captured",
    })  # fmt: skip
