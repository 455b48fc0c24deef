"""From contacts to calls: through the announcement into the queues, and what came of each."""

from dataclasses import dataclass

import numpy as np

from simulator import engine
from simulator import engine_parts as parts
from simulator.clock import DAY_MS, HOUR_MS
from simulator.columns import NEVER, Flags, Ints, looked_up
from simulator.contacts import (
    ABANDONED,
    ANSWERED,
    BLOCKED,
    ENDED_IN_IVR,
    OTHER,
    Catalogue,
    Contacts,
)
from simulator.customers import Population
from simulator.parameters import Parameters
from simulator.roster import Roster

_CLOSING_GRACE_MS = 12 * 60_000


@dataclass
class Handled:
    """Contacts with their outcome, ordered by start; one entry a contact. Instants in simulated ms, NEVER for none."""

    contacts: Contacts
    end: Ints
    outcome: Ints
    block: Ints  # index into BLOCK_REASONS, -1
    self_served: Flags
    agent: Ints  # index, -1
    ivr_ms: Ints
    waited_ms: Ints
    answered_at: Ints


@dataclass
class Floor:
    """What happened on the floor: visits (parts.VISIT_FIELDS) with the position of their contact, and intervals."""

    visits: Ints
    intervals: Ints


def _queue_of(parameters: Parameters, catalogue: Catalogue, contacts: Contacts, population: Population) -> Ints:
    """The queue that each caller chooses, key customers their own."""
    names = [parameters.service_types[code].queue for code in catalogue.services]
    queue = np.array([catalogue.queues.index(name) for name in names])[contacts.service]
    fault = np.array([leaf.startswith("signal.") for leaf in catalogue.complaints] + [False])
    queue[(contacts.complaint >= 0) & fault[contacts.complaint]] = catalogue.queues.index("fault")
    key = (contacts.customer >= 0) & (population.key_level[contacts.customer] > 0)
    queue[key] = catalogue.queues.index("key")
    return queue


def _durations(
    rng: np.random.Generator, parameters: Parameters, catalogue: Catalogue, contacts: Contacts, queue: Ints, ivr: Ints
) -> Ints:
    """The engine's contact fields (parts.CONTACT_FIELDS × contacts), whole ms."""
    p, count = parameters, contacts.count
    services = [p.service_types[code] for code in catalogue.services]

    def by_service(values: list[float]) -> np.ndarray:
        return np.array(values)[contacts.service]

    talk = by_service([s.talk for s in services]) * np.exp(
        rng.normal(0, 1, count) * by_service([s.spread for s in services])
    )
    wrap = by_service([s.wrap for s in services]) * rng.gamma(2.0, 0.5, count)
    held = rng.random(count) < by_service([s.hold for s in services])
    patience = p.patience.mean_seconds * rng.weibull(p.patience.shape, count)
    at_once = rng.random(count) < p.patience.at_once_share
    patience = np.where(at_once, rng.uniform(0.5, 5.0, count), patience + 2.0)
    redial = rng.lognormal(np.log(p.redial.median_minutes * 60), 0.9, count) + 30
    target = rng.integers(0, len(catalogue.queues) - 1, count)
    target += target >= queue
    # Nobody is handed on into the key customers' queue.
    target = np.where(target == catalogue.queues.index("key"), catalogue.queues.index("complaint"), target)
    moved = (rng.random(count) < p.transfer_share) & (target != queue)
    key = np.where(rng.random(count) < p.key_exit_share / 0.2, rng.uniform(30, 200, count) * 1000, -1)
    rows = [
        contacts.start + ivr,
        queue,
        np.maximum(patience * 1000, 300),
        np.maximum(talk, 8) * 1000,
        np.where(held, 8 + rng.exponential(p.hold_mean_seconds - 8, count), 0) * 1000,
        np.maximum(wrap, 3) * 1000,
        (1.0 + rng.exponential(p.alert.mean_seconds - 1.0, count).clip(0, 15)) * 1000,
        rng.random(count) < p.alert.no_answer_share,
        np.where(moved, target, -1),
        np.where(rng.random(count) < p.redial.share, redial * 1000, -1),
        key,
    ]
    return np.stack([np.asarray(row).astype(np.int64) for row in rows])


def _engine_inputs(parameters: Parameters, catalogue: Catalogue, roster: Roster) -> tuple[Ints, Ints, Ints]:
    serves = np.array([[int(q in served) for q in catalogue.queues] for served in roster.group_queues])
    choice = np.full((len(catalogue.queues), len(roster.groups)), -1, np.int64)
    for number, queue in enumerate(catalogue.queues):
        able = [g for g, served in enumerate(roster.group_queues) if queue in served]
        able.sort(key=lambda g: roster.group_queues[g].index(queue))
        choice[number, : len(able)] = able
    rank = np.array([parameters.queues[queue].rank for queue in catalogue.queues])
    return serves, choice, rank


def play_calls(
    rng: np.random.Generator,
    parameters: Parameters,
    catalogue: Catalogue,
    contacts: Contacts,
    population: Population,
    roster: Roster,
    days: tuple[int, int],
) -> tuple[Handled, Floor]:
    """Play the voice contacts of the days from `days[0]` to `days[1]` (exclusive) through the hotline."""
    p, count = parameters, contacts.count
    opens, closes = (hour * HOUR_MS for hour in p.hotline_hours)
    moment = contacts.start % DAY_MS
    closed = (moment < opens) | (moment >= closes)
    ivr = (rng.lognormal(np.log(p.ivr.median_seconds), p.ivr.spread, count) * 1000).astype(np.int64)
    served_share = np.array([p.service_types[code].self_service for code in catalogue.services])[contacts.service]
    served = (rng.random(count) < served_share) & ~closed & (contacts.outage < 0)
    hung_up = (rng.random(count) < p.ivr.hang_up_share) & ~closed & ~served
    ivr = np.where(served, ivr * 2, np.where(closed, 8_000 + ivr // 8, np.where(hung_up, 2_000 + ivr // 2, ivr)))

    joins = np.flatnonzero(~(closed | served | hung_up))
    joins = joins[np.argsort(contacts.start[joins] + ivr[joins], kind="stable")]
    queue = _queue_of(p, catalogue, contacts, population)
    fields = _durations(rng, p, catalogue, contacts.take(joins), queue[joins], ivr[joins])
    offset = days[0] * DAY_MS
    fields[parts.ENTER] -= offset
    inside = (roster.events[0] >= offset - HOUR_MS) & (roster.events[0] < days[1] * DAY_MS - HOUR_MS)
    events = roster.events[:, inside].copy()
    events[0] -= offset
    events[3] -= np.where(events[1] == parts.LOG_IN, offset, 0)
    played, origin, entered, visits, intervals = engine.run(
        fields, events, roster.agent_group, roster.agent_speed, *_engine_inputs(p, catalogue, roster),
        full_least=p.full_waiting_least, full_per_agent=p.full_waiting_per_agent,
        timeout=int(p.timeout_seconds * 1000), no_answer=int(p.alert.no_answer_seconds * 1000),
        no_answer_pause=int(p.alert.no_answer_pause_seconds * 1000),
        no_answer_reason=roster.pause_reasons.index(p.no_answer_reason), closes=closes, grace=_CLOSING_GRACE_MS,
    )  # fmt: skip

    redials = np.flatnonzero(origin >= 0)
    source = joins[origin[redials]]
    whole = Contacts(**{name: np.concatenate([value, value[source]]) for name, value in vars(contacts).items()})
    whole.start[count:] = played[parts.ENTER, redials] - parts.REDIAL_IVR + offset
    # Positions in `whole` of the engine's contacts.
    place = np.concatenate([joins, count + np.arange(len(redials))])
    ivr = np.concatenate([ivr, np.full(len(redials), parts.REDIAL_IVR)])
    _to_absolute(visits, intervals, offset, place)

    outcome = np.full(whole.count, OTHER, np.int64)
    outcome[:count][served | hung_up] = ENDED_IN_IVR
    block = np.full(whole.count, -1, np.int64)
    block[:count][closed] = 0
    block[place] = np.where(entered == parts.ENTERED, -1, entered)
    handled = Handled(
        contacts=whole,
        end=whole.start + ivr,
        outcome=np.where(block >= 0, BLOCKED, outcome),
        block=block,
        self_served=np.concatenate([served, np.zeros(len(redials), bool)]),
        agent=np.full(whole.count, -1, np.int64),
        ivr_ms=ivr,
        waited_ms=np.zeros(whole.count, np.int64),
        answered_at=np.full(whole.count, NEVER, np.int64),
    )
    _settle(handled, visits)
    return _in_order(handled, visits, intervals)


def _to_absolute(visits: Ints, intervals: Ints, offset: int, place: Ints) -> None:
    for row in (parts.V_ENTER, parts.V_EXIT, parts.V_ALERT, parts.V_HOLD_START, parts.V_HOLD_END, parts.V_END,
                parts.V_WRAP_END, parts.V_MISSED_START, parts.V_MISSED_END):  # fmt: skip
        visits[row] = np.where(visits[row] == -1, NEVER, visits[row] + offset)
    visits[parts.V_CONTACT] = place[visits[parts.V_CONTACT]]
    intervals[3:5] += offset
    intervals[5] = looked_up(place, intervals[5])


def _settle(handled: Handled, visits: Ints) -> None:
    """Outcome, end, agent and wait of each contact from its visits (rows are in order of entering)."""
    contact, exits = visits[parts.V_CONTACT], visits[parts.V_CLASS]
    last = np.full(handled.contacts.count, -1, np.int64)
    last[contact] = np.arange(len(contact))
    has = np.flatnonzero(last >= 0)
    final = last[has]
    answered = exits[final] == parts.ANSWERED
    handled.outcome[has] = np.where(answered, ANSWERED, np.where(exits[final] == parts.ABANDONED, ABANDONED, OTHER))
    handled.end[has] = np.where(answered, visits[parts.V_END, final], visits[parts.V_EXIT, final])
    waits = visits[parts.V_EXIT] - visits[parts.V_ENTER]
    handled.waited_ms[:] = np.bincount(contact, waits, minlength=len(last)).astype(np.int64)
    taken = exits == parts.ANSWERED
    handled.agent[contact[taken]] = visits[parts.V_AGENT, taken]
    handled.answered_at[contact[taken]] = visits[parts.V_EXIT, taken]


def _in_order(handled: Handled, visits: Ints, intervals: Ints) -> tuple[Handled, Floor]:
    order = np.argsort(handled.contacts.start, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    visits[parts.V_CONTACT] = place[visits[parts.V_CONTACT]]
    intervals[5] = looked_up(place, intervals[5])
    sorted_ = Handled(handled.contacts.take(order), *[v[order] for k, v in vars(handled).items() if k != "contacts"])
    return sorted_, Floor(visits, intervals)
