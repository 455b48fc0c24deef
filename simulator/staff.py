"""Everybody who takes contacts: the hotline's agents first, then the online team, then the counters of the cities."""

from dataclasses import dataclass
from math import ceil

import numpy as np

from simulator.clock import YEAR_DAYS
from simulator.columns import Flags, Floats, Ints
from simulator.parameters import Parameters
from simulator.places import Places
from simulator.roster import Roster

_MINUTES_A_SHIFT = 300


@dataclass(frozen=True)
class Staff:
    """Positions among all agents: hotline [0, hotline), online up to `counters[0]`, then each city's counter."""

    hotline: int
    online: int
    counters: Ints  # per city, how many
    quality: Floats  # of everybody, standard normal

    @property
    def count(self) -> int:
        """Everybody."""
        return self.hotline + self.online + int(self.counters.sum())

    def pick(self, rng: np.random.Generator, city: Ints, walk_in: Flags) -> Ints:
        """Somebody for each contact: of the city's counter for those who walk in, else of the online team."""
        online = self.hotline + rng.integers(0, self.online, len(city))
        first = self.hotline + self.online + np.cumsum(self.counters) - self.counters
        counter = first[city] + (rng.random(len(city)) * self.counters[city]).astype(np.int64)
        picked: Ints = np.where(walk_in, counter, online)
        return picked


def build_staff(parameters: Parameters, places: Places, roster: Roster, customers: int, seed: int) -> Staff:
    """As many people beside the hotline as the other channels' expected work needs."""
    rng = np.random.default_rng([seed, 3])
    a_day = customers * parameters.other_contacts_per_year / YEAR_DAYS
    total = sum(channel.share for channel in parameters.channels.values())
    minutes = {name: a_day * c.share / total * c.handle_minutes for name, c in parameters.channels.items()}
    weights = np.array([parameters.cities[code].weight for code in places.city_codes])
    at_counters = minutes.pop("walk_in", 0.0) * weights / weights.sum()
    online = max(2, ceil(sum(minutes.values()) / _MINUTES_A_SHIFT * 7 / 5))
    counters = np.maximum(1, np.ceil(at_counters / _MINUTES_A_SHIFT * 7 / 5)).astype(np.int64)
    others = rng.normal(0, 1, online + int(counters.sum()))
    return Staff(roster.agents, online, counters, np.concatenate([roster.agent_quality, others]))
