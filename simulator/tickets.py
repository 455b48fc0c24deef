"""Which contacts open a ticket, what it is about, and its way through the loop."""

from dataclasses import dataclass

import numpy as np

from crm_api.tickets.models import PRIORITIES
from simulator import loop
from simulator.calls import Handled
from simulator.clock import DAY_MS, MINUTE_MS, Clock
from simulator.columns import NEVER, Flags, Ints
from simulator.contacts import ANSWERED, VOICE, Catalogue
from simulator.customers import Population, draw_index
from simulator.deadlines import Deadlines
from simulator.outages import OutageList
from simulator.parameters import Parameters
from simulator.places import Places

_NORMAL = PRIORITIES.index("normal")


@dataclass
class Tickets:
    """One entry a ticket; parents of outages come first. Instants in simulated ms, NEVER for none."""

    contact: Ints  # position in the stretch's contacts, -1
    customer: Ints
    parent: Ints  # position among these tickets, -1
    is_outage: Flags
    channel: Ints
    service: Ints
    complaint: Ints
    product: Ints
    city: Ints
    township: Ints
    priority: Ints
    on_behalf: Flags
    created: Ints
    first_response_due: Ints
    resolution_due: Ints
    state: Ints
    first_response: Ints
    resolved: Ints
    closed: Ints
    events: Ints  # loop.EVENT_FIELDS × events, ticket by ticket

    @property
    def count(self) -> int:
        """How many tickets."""
        return len(self.created)


def open_tickets(
    rng: np.random.Generator,
    parameters: Parameters,
    catalogue: Catalogue,
    handled: Handled,
    population: Population,
    places: Places,
    outages: OutageList,
    clock: Clock,
    office_days: Flags,
    deadlines: Deadlines,
) -> Tickets:
    """Open the tickets of a stretch of days and walk them to the end of the period."""
    p, contacts = parameters.tickets, handled.contacts
    wanted = np.array([parameters.service_types[code].ticket for code in catalogue.services])[contacts.service]
    wanted = np.where(contacts.outage >= 0, 1.0, wanted)
    chosen = np.flatnonzero((handled.outcome == ANSWERED) & (rng.random(contacts.count) < wanted))
    # The agent writes it down while talking; a letter is registered when it is read.
    created = handled.answered_at[chosen] + rng.integers(20_000, 90_000, len(chosen))
    inside = created < clock.end_ms
    chosen, created = chosen[inside], created[inside]
    about = contacts.take(chosen)

    parents, parent_created, parent_of = _recognise(parameters, outages, about.outage, created)
    children = len(chosen)
    count = len(parents) + children
    complaint = catalogue.services.index("complaint")

    def with_parents(of_parents: Ints | int, of_children: Ints) -> Ints:
        first = np.broadcast_to(np.asarray(of_parents, np.int64), (len(parents),))
        return np.concatenate([first, of_children])

    township = outages.township[parents]
    customer = with_parents(-1, about.customer)
    service = with_parents(catalogue.services.index("internal_maintenance"), about.service)
    city = with_parents(places.township_city[township], about.city)
    created = np.concatenate([parent_created, created])
    is_outage = np.arange(count) < len(parents)
    key = (customer >= 0) & (population.key_level[customer] > 0)
    priority = _priorities(rng, parameters, service == complaint, key, is_outage)
    parent = with_parents(-1, parent_of)
    outage_end = np.full(count, loop.NONE, np.int64)
    in_outage = np.flatnonzero(parent >= 0)
    outage_end[in_outage] = outages.end[parents[parent[in_outage]]]

    events, results = loop.walk(
        int(rng.integers(2**31)),
        created,
        is_outage.astype(np.int64),
        np.array([p.at_once.get(code, 0.0) for code in catalogue.services])[service] * (parent < 0) * ~is_outage,
        np.array([parameters.cities[code].delay for code in places.city_codes])[city],
        np.where(key | (priority == PRIORITIES.index("urgent")), p.key_speed, 1.0),
        outage_end,
        np.array([[s.minutes * MINUTE_MS, s.spread, s.city, s.office] for s in (p.steps[name] for name in loop.STEPS)]),
        np.array([p.cancelled_share, p.returned_share, p.pended_share, p.rejected_share, p.weekend_duty,
                  p.at_once_minutes, p.reopen_within_days]),
        np.where(service == complaint, p.reopened_share, p.reopened_share / 3),
        office_days,
        clock.end_ms,
    )  # fmt: skip
    tickets = Tickets(
        contact=with_parents(-1, chosen),
        customer=customer,
        parent=parent,
        is_outage=is_outage,
        channel=with_parents(VOICE, about.channel),
        service=service,
        complaint=with_parents(-1, about.complaint),
        product=with_parents(outages.product[parents], about.product),
        city=city,
        township=with_parents(township, about.township),
        priority=priority,
        on_behalf=(rng.random(count) < p.on_behalf_share) & ~is_outage,
        created=created,
        first_response_due=created,
        resolution_due=created,
        state=results[0],
        first_response=results[1],
        resolved=results[2],
        closed=results[3],
        events=events,
    )
    _resolve_parents(rng, tickets, clock.end_ms)
    tickets.first_response_due, tickets.resolution_due = deadlines.due(
        created, service, tickets.complaint, tickets.product, priority, key, tickets.events
    )
    return tickets


def late_repairs(tickets: Tickets, late_ms: float) -> Flags:
    """Whether a ticket was (or still is) unresolved after `late_ms`."""
    resolved = np.where(tickets.resolved == NEVER, np.iinfo(np.int64).max, tickets.resolved)
    late: Flags = (resolved - tickets.created > late_ms) & (tickets.state != loop.CANCELLED)
    return late


def _priorities(rng: np.random.Generator, parameters: Parameters, complaint: Flags, key: Flags, outage: Flags) -> Ints:
    shares = parameters.tickets.priorities
    names = [name for name in shares if name != "low"]
    draw = draw_index(rng, [*(shares[name] for name in names), 1 - sum(shares[name] for name in names)], len(key))
    level = np.array([*(PRIORITIES.index(name) for name in names), _NORMAL])[draw]
    low = ~complaint & (level == _NORMAL) & (rng.random(len(key)) < shares["low"] * 2)
    level = np.where(low, PRIORITIES.index("low"), level)
    level = np.where(key, np.maximum(level, PRIORITIES.index("high")), level)
    urgent: Ints = np.where(outage, PRIORITIES.index("urgent"), level)
    return urgent


def _recognise(parameters: Parameters, outages: OutageList, of_ticket: Ints, created: Ints) -> tuple[Ints, Ints, Ints]:
    """Outages with enough complaints: their indexes, when the parent is opened, and each ticket's parent (or -1)."""
    counts = np.bincount(of_ticket[of_ticket >= 0], minlength=outages.count)
    known = np.flatnonzero(counts >= parameters.outages.recognised_from)
    opened = np.zeros(len(known), np.int64)
    for position, outage in enumerate(known):
        moments = np.sort(created[of_ticket == outage])
        opened[position] = moments[parameters.outages.recognised_from - 1] + 5 * MINUTE_MS
    parent_at = np.full(outages.count + 1, -1, np.int64)
    parent_at[known] = np.arange(len(known))
    return known, opened, parent_at[of_ticket]


def _resolve_parents(rng: np.random.Generator, tickets: Tickets, end: int) -> None:
    """Put a parent's resolution (and all that follows) after its children's: with open children it stays open."""
    parents = np.flatnonzero(tickets.is_outage)
    if not len(parents):
        return
    latest = np.zeros(len(parents), np.int64)
    child = np.flatnonzero(tickets.parent >= 0)
    done = np.where(tickets.state[child] == loop.CANCELLED, 0, tickets.resolved[child])
    np.maximum.at(latest, tickets.parent[child], np.where(done == NEVER, end + DAY_MS, done))
    ticket, kind, _, to_state, at, _ = tickets.events
    keep = np.ones(len(ticket), bool)
    for parent in parents:
        rows = np.flatnonzero(ticket == parent)
        resolving = rows[kind[rows] >= loop.RESOLVING]
        if len(resolving):
            shift = max(0, int(latest[parent]) + int(rng.integers(2, 20)) * MINUTE_MS - int(at[resolving[0]]))
            at[resolving] += shift
            late = resolving[at[resolving] >= end]
            keep[late] = False
            rows = rows[keep[rows]]
            tickets.state[parent] = to_state[rows[-1]]
            for name, reached in (("resolved", loop.RESOLVED), ("closed", loop.CLOSED)):
                moments = at[rows[to_state[rows] == reached]]
                getattr(tickets, name)[parent] = moments[-1] if len(moments) else NEVER
    tickets.events = tickets.events[:, keep]
