"""Who leaves, when and why: a hazard that bad service raises. What is planted stands in docs/simulator.md."""

import numpy as np

from crm_api.customers.models import LEAVE_REASONS
from simulator.clock import DAY_MS, YEAR_DAYS, Clock
from simulator.columns import NEVER, Floats, Ints
from simulator.customers import Population, draw_index
from simulator.parameters import Parameters
from simulator.places import Places


class Experience:
    """What each customer remembers: minutes waited, calls abandoned, complaints, late repairs; it fades."""

    def __init__(self, customers: int) -> None:
        self.waited, self.abandoned, self.complaints, self.late = (np.zeros(customers) for _ in range(4))

    def fade(self, days: float, half_life: float) -> None:
        """Let `days` pass."""
        factor = 0.5 ** (days / half_life)
        for memory in (self.waited, self.abandoned, self.complaints, self.late):
            memory *= factor

    def remember(self, memory: Floats, customer: Ints, amount: Floats) -> None:
        """Add `amount` to the memory of each customer (-1: nobody's)."""
        known = customer >= 0
        memory += np.bincount(customer[known], amount[known], minlength=len(memory))


class Churn:
    """Decides at the beginning of each stretch of days who leaves within it."""

    def __init__(self, parameters: Parameters, places: Places, clock: Clock, population: Population) -> None:
        self.parameters, self.clock, self.population = parameters.churn, clock, population
        self.experience = Experience(population.count)
        p = self.parameters
        fee = np.maximum(population.fee(), 1)
        usual = np.where(population.is_organisation, np.median(fee[population.is_organisation]) if
                         population.is_organisation.any() else 1, np.median(fee))  # fmt: skip
        age = 2026 - population.birth_year
        self._price = p.fee_above_usual * np.log(fee / usual).clip(-1.5, 1.5)
        self._standing = (
            p.per_product * (population.products.sum(axis=1) - 1)
            + p.key_customer * (population.key_level > 0)
            + p.over_60 * ((population.birth_year > 0) & (age > 60))
        )
        self._city = np.array([parameters.cities[code].churn for code in places.city_codes])[population.city]

    def service_effect(self) -> Floats:
        """The sum of the effects of what a customer went through."""
        p, e = self.parameters, self.experience
        effect: Floats = (
            p.waited_minute * e.waited
            + p.abandoned_call * e.abandoned
            + p.complaint * e.complaints
            + p.repeated_complaint * np.maximum(e.complaints - 1, 0)
            + p.late_repair * e.late
        )
        return effect

    def leave(self, rng: np.random.Generator, first: int, last: int) -> int:
        """Let customers leave within the days from `first` to `last` (exclusive); how many do."""
        p, people = self.parameters, self.population
        starts = self.clock.origin_us + first * DAY_MS * 1000
        present = (people.left == NEVER) & (people.registered < starts)
        new = (starts - people.registered) < YEAR_DAYS * DAY_MS * 1000
        service = self.service_effect()
        total = np.minimum(service + self._price + self._standing + p.first_year * new, p.most)
        rate = p.base_per_year * self._city * np.exp(total) * (last - first) / YEAR_DAYS
        leaves = np.flatnonzero((rng.random(people.count) < -np.expm1(-rate)) & present)
        day = rng.integers(first, last, len(leaves))
        moment = day * DAY_MS + rng.integers(9 * 3600, 18 * 3600, len(leaves)) * 1000
        people.left[leaves] = self.clock.utc_us(moment)
        people.leave_reason[leaves] = self._reasons(rng, service[leaves])
        return len(leaves)

    def _reasons(self, rng: np.random.Generator, service: Floats) -> Ints:
        """Service in proportion to how much it raised the hazard, otherwise one of the everyday reasons."""
        names = list(self.parameters.reasons)
        everyday = np.array([LEAVE_REASONS.index(name) for name in names])
        drawn = everyday[draw_index(rng, list(self.parameters.reasons.values()), len(service))]
        driven_out = rng.random(len(service)) < -np.expm1(-service)
        reasons: Ints = np.where(driven_out, LEAVE_REASONS.index("service"), drawn)
        return reasons
