"""Contacts of a stretch of days on every channel: who, when, about what; before anybody has answered."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from simulator.clock import DAY_MS, HOUR_MS, YEAR_DAYS, Clock
from simulator.columns import NEVER, Flags, Floats, Ints
from simulator.customers import BROADBAND, PRODUCTS, Population, draw_index, sampler
from simulator.demand import DayShapes, draw_arrivals, growth
from simulator.parameters import Parameters
from simulator.places import Places

#: Outcomes in the order of their codes.
OUTCOMES = ("answered", "abandoned", "ended_in_ivr", "blocked", "other")
ANSWERED, ABANDONED, ENDED_IN_IVR, BLOCKED, OTHER = range(5)
BLOCK_REASONS = ("closed", "full", "join_empty")
VOICE = 0  # index of the voice channel in Catalogue.channels


@dataclass(frozen=True)
class Catalogue:
    """Codes in the order of the indexes that the arrays hold."""

    channels: list[str]  # voice first
    services: list[str]
    complaints: list[str]
    complaint_product: Ints  # the product that a leaf is about, -1: any
    queues: list[str]

    @classmethod
    def of(cls, parameters: Parameters) -> "Catalogue":
        """The codes that the parameters name."""
        complaints = list(parameters.complaint_types)
        named = [next((p for p in PRODUCTS if f".{p}." in f".{leaf}."), "") for leaf in complaints]
        return cls(
            channels=["voice", *parameters.channels],
            services=list(parameters.service_types),
            complaints=complaints,
            complaint_product=np.array([PRODUCTS.index(name) if name else -1 for name in named]),
            queues=list(parameters.queues),
        )


@dataclass
class Contacts:
    """One entry a contact in every array; -1 is none. `start` in simulated ms."""

    start: Ints
    channel: Ints
    customer: Ints
    city: Ints
    township: Ints
    service: Ints
    product: Ints
    complaint: Ints
    outage: Ints

    def take(self, chosen: Ints | Flags) -> Self:
        """The contacts at these positions (or under this mask), in that order."""
        return type(self)(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    @classmethod
    def join(cls, parts: list[Self]) -> Self:
        """All contacts, ordered by start."""
        whole = cls(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)})
        return whole.take(np.argsort(whole.start, kind="stable"))

    @property
    def count(self) -> int:
        """How many contacts."""
        return len(self.start)


class Demand:
    """Draws the contacts of one stretch after the other; remembers who will call again."""

    def __init__(
        self, parameters: Parameters, catalogue: Catalogue, places: Places, clock: Clock, shapes: DayShapes
    ) -> None:
        self.parameters, self.catalogue, self.places, self.clock, self.shapes = (
            parameters, catalogue, places, clock, shapes,
        )  # fmt: skip
        self._growth = {name: growth(channel.growth, clock) for name, channel in parameters.channels.items()}
        self._waiting: list[Contacts] = []
        years = clock.days / YEAR_DAYS
        coming_and_going = parameters.customers.joined_per_year + parameters.churn.base_per_year
        self._mean_presence = max(0.5, 1 - years * coming_and_going / 2)
        services = parameters.service_types.values()
        self._again = np.array([service.again for service in services])
        self._voice_mix = np.array([service.voice for service in services])
        self._other_mix = np.array([service.other for service in services])
        leaves = np.array(list(parameters.complaint_types.values()))
        about = catalogue.complaint_product
        # One column of cumulated weights a product: its own leaves and those about none in particular.
        self._leaves = [sampler(np.where((about == p) | (about == -1), leaves, 0.0)) for p in range(len(PRODUCTS))]

    def draw(
        self, rng: np.random.Generator, population: Population, first: int, last: int, outages: Contacts
    ) -> Contacts:
        """The contacts of the days from `first` to `last` (exclusive), those of outages included."""
        present = np.where((population.left == NEVER) & (population.registered < self._us(last)), population.rate, 0.0)
        who = sampler(present)
        # The yearly rates hold for the mean of those present: some have left by then, some have not come yet.
        share = present.sum() / population.rate.sum() / self._mean_presence
        parts = [self._channel(rng, population, who, number, name, first, last, share * population.count)
                 for number, name in enumerate(self.catalogue.channels)]  # fmt: skip
        base = Contacts.join([*parts, outages])
        later = self._call_again(rng, base)
        whole = Contacts.join([base, *self._waiting, later])
        self._waiting = [whole.take(whole.start >= last * DAY_MS)]
        return self._of_present(whole.take(whole.start < last * DAY_MS), population)

    def _us(self, day: int) -> int:
        return self.clock.origin_us + day * DAY_MS * 1000

    def _of_present(self, contacts: Contacts, population: Population) -> Contacts:
        """Nobody gets in touch as a customer before registering, or from the day of leaving on."""
        known = contacts.customer >= 0
        at = self.clock.utc_us(contacts.start)
        left = population.left[contacts.customer]
        gone = (left != NEVER) & (at // 86_400_000_000 >= left // 86_400_000_000)
        early = at <= population.registered[contacts.customer]
        return contacts.take(~(known & (gone | early)))

    def _channel(
        self, rng: np.random.Generator, population: Population, who: Floats, number: int, name: str,
        first: int, last: int, customers: float,
    ) -> Contacts:  # fmt: skip
        p, days = self.parameters, slice(first, last)
        if number == VOICE:
            # Callers who try again, call again or sit in an outage come on top of these.
            own = 1.0 - _extra_share(p)
            daily = (
                customers
                * p.calls_per_year
                / YEAR_DAYS
                * own
                * self.shapes.factor[days]
                * self.shapes.voice_growth[days]
            )
            mix, off_hours = self._voice_mix, p.off_hours_calls
        else:
            channel = p.channels[name]
            total = sum(item.share for item in p.channels.values())
            mean = customers * p.other_contacts_per_year / YEAR_DAYS * channel.share / total
            daily = mean * self.shapes.factor[days] * self._growth[name][days]
            mix, off_hours = self._other_mix, channel.off_hours
        start = draw_arrivals(
            rng, daily, self.shapes.hours[days], first_day=first, opens=p.hotline_hours[0],
            noise=(p.day_noise, p.half_hour_noise), off_hours=off_hours,
        )  # fmt: skip
        return self._about(rng, population, who, start, number, draw_index(rng, mix, len(start)))

    def _about(
        self, rng: np.random.Generator, population: Population, who: Floats, start: Ints, channel: int, service: Ints
    ) -> Contacts:
        count = len(start)
        customer = np.minimum(np.searchsorted(who, rng.random(count), side="right"), population.count - 1)
        unknown = (rng.random(count) < self.parameters.unknown_caller_share) & (channel == VOICE)
        city = population.city[customer]
        township = np.where(unknown, -1, population.township[customer])
        product = draw_product(rng, population, customer)
        customer = np.where(unknown, -1, customer)
        complaining = service == self.catalogue.services.index("complaint")
        return Contacts(
            start=start,
            channel=np.full(count, channel, np.int64),
            customer=customer,
            city=city,
            township=township,
            service=service,
            product=product,
            complaint=np.where(complaining, self.draw_leaf(rng, product), -1),
            outage=np.full(count, -1, np.int64),
        )

    def draw_leaf(self, rng: np.random.Generator, product: Ints) -> Ints:
        """A complaint leaf for each product index."""
        draw, leaf = rng.random(len(product)), np.zeros(len(product), np.int64)
        for number, edges in enumerate(self._leaves):
            mask = product == number
            leaf[mask] = np.minimum(np.searchsorted(edges, draw[mask], side="right"), len(edges) - 1)
        return leaf

    def _call_again(self, rng: np.random.Generator, base: Contacts) -> Contacts:
        """Unresolved customers, days later at an open hour, some of them now to complain."""
        p = self.parameters
        again = base.take((rng.random(base.count) < self._again[base.service]) & (base.customer >= 0))
        days = np.maximum(1, np.round(rng.lognormal(np.log(p.again_days), 0.7, again.count))).astype(np.int64)
        opens, closes = p.hotline_hours
        hour = (again.start % DAY_MS // HOUR_MS).clip(opens, closes - 1)
        again.start = (again.start // DAY_MS + days) * DAY_MS + hour * HOUR_MS + rng.integers(0, HOUR_MS, again.count)
        again.channel = np.where(rng.random(again.count) < 0.8, VOICE, again.channel)
        again.outage = np.full(again.count, -1, np.int64)
        angry = rng.random(again.count) < p.again_with_ticket
        complaint = self.catalogue.services.index("complaint")
        again.complaint = np.where(angry & (again.complaint < 0), self.draw_leaf(rng, again.product), again.complaint)
        again.service = np.where(angry, complaint, again.service)
        return again


def draw_product(rng: np.random.Generator, population: Population, customer: Ints) -> Ints:
    """One of each customer's products; broadband gives more to talk about."""
    taken = population.products[customer]
    score = rng.random(taken.shape) * taken
    score[:, BROADBAND] *= 1.6
    product: Ints = np.argmax(score, axis=1)
    return product


def _extra_share(parameters: Parameters) -> float:
    """Roughly which share of the calls come from calling again, redialling and outages."""
    services = parameters.service_types.values()
    again = sum(s.again * s.voice for s in services) / sum(s.voice for s in services)
    return again * 0.85 + parameters.redial.share * 0.05 + 0.02
