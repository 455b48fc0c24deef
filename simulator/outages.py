"""Outages: one township without its network for hours, and the customers who say so."""

from dataclasses import dataclass

import numpy as np

from simulator.clock import DAY_MS, HOUR_MS, YEAR_DAYS, Clock
from simulator.columns import NEVER, Ints
from simulator.contacts import VOICE, Catalogue, Contacts
from simulator.customers import PRODUCTS, Population
from simulator.parameters import Parameters
from simulator.places import Places


@dataclass
class OutageList:
    """One entry an outage; start and end in simulated ms."""

    township: Ints
    product: Ints
    start: Ints
    end: Ints

    @property
    def count(self) -> int:
        """How many outages."""
        return len(self.start)


class OutageDesk:
    """Draws outages and the contacts that they cause."""

    def __init__(self, parameters: Parameters, catalogue: Catalogue, places: Places, clock: Clock) -> None:
        self.parameters, self.catalogue, self.places, self.clock = parameters, catalogue, places, clock
        # Customers of each township, for one pass over the townships that are hit.
        self._order: Ints | None = None
        self._edges: Ints | None = None

    def draw(
        self, rng: np.random.Generator, population: Population, first: int, last: int
    ) -> tuple[OutageList, Contacts]:
        """Outages that begin within the days from `first` to `last` (exclusive), and the contacts about them."""
        p, places = self.parameters.outages, self.places
        factor = np.array([p.factor.get(code, 1.0) for code in places.city_codes])[places.township_city]
        months = [day.day.month - 1 for day in self.clock.day_list()[first:last]]
        season = float(np.array(p.months)[months].sum()) / YEAR_DAYS
        counts = rng.poisson(p.per_township_year * factor * season)
        township = np.repeat(np.arange(places.townships), counts)
        start = rng.integers(first * DAY_MS, last * DAY_MS, len(township))
        length = (rng.gamma(1.6, p.mean_hours / 1.6, len(township)) + 0.5) * HOUR_MS
        product = rng.choice([PRODUCTS.index("digital_tv"), PRODUCTS.index("broadband")], len(township), p=[0.4, 0.6])
        outages = OutageList(township, product.astype(np.int64), start, start + length.astype(np.int64))
        parts = [self._contacts(rng, population, outages, number, last) for number in range(outages.count)]
        return outages, Contacts.join(parts) if parts else _none()

    def _people(self, population: Population, township: int) -> Ints:
        if self._order is None or self._edges is None:
            self._order = np.argsort(population.township, kind="stable")
            self._edges = np.searchsorted(population.township[self._order], np.arange(self.places.townships + 1))
        return self._order[self._edges[township] : self._edges[township + 1]]

    def _contacts(
        self, rng: np.random.Generator, population: Population, outages: OutageList, number: int, last: int
    ) -> Contacts:
        p = self.parameters
        product = int(outages.product[number])
        people = self._people(population, int(outages.township[number]))
        people = people[population.products[people, product] & (population.left[people] == NEVER)]
        share = rng.uniform(*p.outages.affected) * rng.uniform(*p.outages.complain)
        who = people[rng.random(len(people)) < share]
        # Most notice soon; nobody asks any more once it is over.
        span = outages.end[number] - outages.start[number]
        moment = outages.start[number] + (span * rng.beta(1.1, 2.2, len(who))).astype(np.int64)
        hour = moment % DAY_MS // HOUR_MS
        opens, closes = p.hotline_hours
        kept = (hour >= opens) & (hour < closes) & (moment < last * DAY_MS)
        who, moment = who[kept], moment[kept]
        leaf = "signal.broadband.no_connection" if PRODUCTS[product] == "broadband" else "signal.digital_tv.no_picture"
        channels = self.catalogue.channels
        chat, sms = channels.index("web_chat"), channels.index("sms")

        def same(value: int) -> Ints:
            return np.full(len(who), value, np.int64)

        return Contacts(
            start=moment,
            channel=rng.choice([VOICE, chat, sms], len(who), p=[0.82, 0.12, 0.06]).astype(np.int64),
            customer=who,
            city=population.city[who],
            township=population.township[who],
            service=same(self.catalogue.services.index("complaint")),
            product=same(product),
            complaint=same(self.catalogue.complaints.index(leaf)),
            outage=same(number),
        )


def _none() -> Contacts:
    return Contacts(*[np.zeros(0, np.int64) for _ in range(9)])
