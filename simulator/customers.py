"""The customers as the simulation needs them: where, what, since when, how often they get in touch."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.clock import YEAR_DAYS, Clock
from simulator.columns import NEVER, Flags, Floats, Ints
from simulator.parameters import Parameters
from simulator.places import Places

KEY_LEVELS = ("none", "silver", "gold", "platinum")
PRODUCTS = ("cable_tv", "digital_tv", "broadband", "private_network")
BROADBAND = PRODUCTS.index("broadband")
# Ranges of Chinese mobile numbers, all operators.
_MOBILE = np.array([130, 131, 132, 133, 134, 135, 136, 137, 138, 139, 150, 151, 152, 153, 155, 156, 157, 158, 159, 166,
                    173, 175, 176, 177, 178, 180, 181, 182, 183, 184, 185, 186, 187, 188, 189, 198, 199])  # fmt: skip


@dataclass
class Population:
    """One entry a customer in every array; the customer's id is the index + 1. Instants: µs since 1970, UTC."""

    city: Ints
    township: Ints  # index, the township's id is + 1
    is_organisation: Flags
    key_level: Ints
    birth_year: Ints  # 0: organisation
    registered: Ints
    phone: Ints  # E.164 without the plus
    products: Flags  # customers × PRODUCTS
    fees: Ints  # customers × PRODUCTS, fen a month, 0 where not taken
    rate: Floats  # relative contact rate
    left: Ints  # NEVER while the customer stays
    leave_reason: Ints  # index into LEAVE_REASONS of the store, -1 while the customer stays

    @property
    def count(self) -> int:
        """How many customers, those who left included."""
        return len(self.city)

    def fee(self) -> Ints:
        """Monthly fees of each customer, fen."""
        total: Ints = self.fees.sum(axis=1)
        return total


def draw_phones(rng: np.random.Generator, city: Ints, landline: Flags, area_codes: list[str]) -> Ints:
    """E.164 digits of mobiles, and of landlines in the city's area where `landline`."""
    count = len(city)
    mobile = (86_000 + rng.choice(_MOBILE, count)) * 10**8 + rng.integers(10**7, 10**8, count)
    # Area 029 has numbers of eight digits, the others of seven.
    area = np.array([int(code) for code in area_codes])[city]
    long = area == 29
    lead = np.where(long, 8 * 10**7 + rng.integers(0, 10**7, count), 3 * 10**6 + rng.integers(0, 10**6, count))
    fixed = np.where(long, (86 * 100 + area) * 10**8, (86 * 1000 + area) * 10**7) + lead
    chosen: Ints = np.where(landline, fixed, mobile).astype(np.int64)
    return chosen


def build_population(count: int, parameters: Parameters, places: Places, clock: Clock, seed: int) -> Population:
    """Draw `count` customers; some register only within the simulated period."""
    rng = np.random.default_rng([seed, 1])
    p = parameters.customers
    cities = [parameters.cities[code] for code in places.city_codes]
    weights = np.array([city.weight for city in cities])
    city = rng.choice(len(cities), count, p=weights / weights.sum()).astype(np.int64)
    organisation = rng.random(count) < p.organisation_share
    products = _draw_products(rng, parameters, city, organisation, places)
    registered = _draw_registrations(rng, p.joined_per_year, p.mean_tenure_years, count, clock)
    level = _draw_levels(rng, p.key_levels, organisation)
    rate = rng.gamma(p.contact_rate_shape, 1.0 / p.contact_rate_shape, count)
    rate *= np.array([item.contacts for item in cities])[city]
    # Organisations and customers with several products have more to ask.
    rate *= np.where(organisation, 1.6, 1.0) * (0.75 + 0.2 * products.sum(axis=1))
    return Population(
        city=city,
        township=_draw_townships(rng, places, city),
        is_organisation=organisation,
        key_level=level,
        birth_year=np.where(organisation, 0, 2026 - np.clip(rng.normal(47, 15, count), 18, 95)).astype(np.int64),
        registered=registered,
        phone=draw_phones(rng, city, rng.random(count) < p.landline_share, places.area_codes),
        products=products,
        fees=_draw_fees(rng, p.monthly_fees_fen, products, organisation),
        rate=rate,
        left=np.full(count, NEVER, np.int64),
        leave_reason=np.full(count, -1, np.int64),
    )


def _draw_products(
    rng: np.random.Generator, parameters: Parameters, city: Ints, organisation: Flags, places: Places
) -> Flags:
    shares = parameters.customers.products
    broadband = np.array([parameters.cities[code].broadband for code in places.city_codes])[city]
    columns = []
    for product in PRODUCTS:
        person = broadband if product == "broadband" else np.full(len(city), shares["person"][product])
        wanted = np.where(organisation, shares["organisation"][product], person)
        columns.append(rng.random(len(city)) < wanted)
    taken = np.stack(columns, axis=1)
    taken[~taken.any(axis=1), PRODUCTS.index("digital_tv")] = True
    return taken


def _draw_fees(rng: np.random.Generator, fees: dict[str, list[int]], products: Flags, organisation: Flags) -> Ints:
    drawn = np.stack([rng.choice(fees[name], len(products)) for name in PRODUCTS], axis=1)
    drawn[organisation] *= 2
    taken: Ints = np.where(products, drawn, 0).astype(np.int64)
    return taken


def _draw_registrations(rng: np.random.Generator, joined: float, tenure: float, count: int, clock: Clock) -> Ints:
    share = min(0.5, joined * clock.days / YEAR_DAYS)
    new = rng.random(count) < share
    day = np.where(
        new,
        rng.integers(0, max(1, clock.days), count),
        -1 - np.minimum(rng.exponential(tenure * YEAR_DAYS, count), 28 * YEAR_DAYS).astype(np.int64),
    )
    # At a counter, between 9 and 18 o'clock.
    return clock.utc_us(day * 86_400_000 + rng.integers(9 * 3_600_000, 18 * 3_600_000, count) // 1000 * 1000)


def _draw_levels(rng: np.random.Generator, shares: dict[str, dict[str, float]], organisation: Flags) -> Ints:
    draw = rng.random(len(organisation))
    level = np.zeros(len(organisation), np.int64)
    for kind, mask in (("organisation", organisation), ("person", ~organisation)):
        edges = np.cumsum([shares[kind][name] for name in reversed(KEY_LEVELS[1:])])
        chosen = np.searchsorted(edges, draw, side="right")
        level[mask] = (len(edges) - chosen)[mask]
    return level


def _draw_townships(rng: np.random.Generator, places: Places, city: Ints) -> Ints:
    township = np.zeros(len(city), np.int64)
    for number in range(len(places.city_codes)):
        here, of_city = np.flatnonzero(city == number), np.flatnonzero(places.township_city == number)
        township[here] = rng.choice(of_city, len(here), p=places.township_share[of_city])
    return township


def sampler(weights: Floats) -> Floats:
    """Cumulative shares, to draw indexes by `np.searchsorted(sampler(w), rng.random(n), side="right")`."""
    edges = np.cumsum(weights)
    shares: Floats = edges / edges[-1]
    return shares


def draw_index(rng: np.random.Generator, weights: Any, count: int) -> Ints:
    """`count` indexes drawn with probabilities in proportion to `weights`."""
    edges = sampler(np.asarray(weights, np.float64))
    drawn: Ints = np.minimum(np.searchsorted(edges, rng.random(count), side="right"), len(edges) - 1)
    return drawn
