"""Organisations with several customer numbers: which customers form a group, by rule, so that no draw moves."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulator.clock import DAY_MS, Clock
from simulator.columns import NEVER, Flags, Ints, instants, keys, numbered, rows_of, words
from simulator.customers import Population
from simulator.places import Places
from simulator.vocabulary import vocabulary

#: A city has one group, and one more for every so many organisations, of these sizes in turn.
_ORGANISATIONS_A_GROUP = 20
_SIZES = (2, 3, 4, 5)
#: In every third group stands also the last member of the group before: that customer is in two.
_SHARED = 3
_LATER_US = 30 * DAY_MS * 1000


@dataclass
class _Groups:
    """Indexes of cities and customers; a member's stay counts in µs since 1970."""

    city: list[int]
    group: list[int]
    customer: list[int]
    is_second: list[bool]


def group_rows(population: Population, places: Places, clock: Clock) -> Iterator[tuple[str, pa.Table]]:
    """(table, rows) of the groups and their members: key customers among the organisations first."""
    made = _formed(population, len(places.city_codes))
    city = np.array(made.city, np.int64)
    number = np.arange(len(city))
    kinds, firms = vocabulary("groups"), vocabulary("firms")
    names = [
        f"{places.city_names[each]}{firms[place % len(firms)]}{kinds[place % len(kinds)]}"
        for place, each in enumerate(made.city)
    ]
    who = np.array(made.customer, np.int64)
    joined, left = _stays(population, clock, who, np.array(made.is_second, bool))
    first = np.full(len(city), clock.origin_us, np.int64)
    np.minimum.at(first, np.array(made.group, np.int64), joined)
    yield "customer_groups", rows_of("customer_groups", len(city), {
        "id": keys(number + 1),
        "code": numbered("G", number + 1, 5),
        "name": words(names, number),
        "unit_id": keys(places.city_unit[city]),
        "created_at": instants(first),
    })  # fmt: skip
    yield "customer_group_members", rows_of("customer_group_members", len(who), {
        "id": keys(np.arange(len(who)) + 1),
        "group_id": keys(np.array(made.group, np.int64) + 1),
        "customer_id": keys(who + 1),
        "joined_at": instants(joined),
        "left_at": instants(left),
    })  # fmt: skip


def _formed(population: Population, cities: int) -> _Groups:
    made = _Groups([], [], [], [])
    for city in range(cities):
        here = np.flatnonzero(population.is_organisation & (population.city == city))
        here = here[np.argsort(-population.key_level[here], kind="stable")]
        wanted = 1 + len(here) // _ORGANISATIONS_A_GROUP
        taken = 0
        for turn in range(wanted):
            members = here[taken : taken + _SIZES[turn % len(_SIZES)]].tolist()
            if len(members) < 2:
                break
            group = len(made.city)
            before = made.customer[-1] if taken and turn % _SHARED == 1 else None
            made.city.append(city)
            for customer in (*members, *([] if before is None else [before])):
                made.group.append(group)
                made.customer.append(customer)
                made.is_second.append(customer == before)
            taken += len(members)
    return made


def _stays(population: Population, clock: Clock, who: Ints, second: Flags) -> tuple[Ints, Ints]:
    """From when to when: as long as they are customers; in a second group a month after the first."""
    left = population.left[who]
    joined = population.registered[who]
    last = np.where(left == NEVER, clock.origin_us + clock.end_ms * 1000, left)
    joined = np.where(second, np.maximum(joined, np.minimum(joined + _LATER_US, last)), joined)
    return joined, left
