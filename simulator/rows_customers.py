"""Rows of customers with phones, addresses, accounts, subscriptions and consents, slice by slice."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm_api.customers.models import CONSENT_CHANNELS, CUSTOMER_KINDS, KEY_LEVELS, LEAVE_REASONS
from simulator.clock import DAY_MS, YEAR_DAYS, Clock
from simulator.columns import NEVER, Flags, Floats, Ints, days, instants, keys, numbered, rows_of, words
from simulator.customers import PRODUCTS, Population, draw_phones
from simulator.names import addresses, identity_numbers, organisation_names, person_names
from simulator.parameters import Parameters
from simulator.places import Places

SLICE = 250_000
_DAY_US = DAY_MS * 1000
_STATUSES = ("active", "left", "deceased")


class CustomerRows:
    """Makes the rows; keys run on from slice to slice."""

    def __init__(self, parameters: Parameters, places: Places, clock: Clock, population: Population, seed: int) -> None:
        self.parameters, self.places, self.clock, self.population, self.seed = (
            parameters, places, clock, population, seed,
        )  # fmt: skip
        self._next = dict.fromkeys(("customer_phones", "accounts", "subscriptions", "consents"), 1)

    def slices(self) -> Iterator[tuple[str, pa.Table]]:
        """(table, rows), parents first within each slice."""
        for first in range(0, self.population.count, SLICE):
            who = np.arange(first, min(first + SLICE, self.population.count))
            rng = np.random.default_rng([self.seed, 5, first])
            yield "customers", self._customers(rng, who)
            yield "customer_phones", self._phones(rng, who)
            yield "customer_addresses", self._addresses(rng, who)
            accounts, owner = self._accounts(rng, who)
            yield "accounts", accounts
            yield "subscriptions", self._subscriptions(rng, who, owner)
            yield "consents", self._consents(rng, who)

    def _keys(self, table: str, count: int) -> Ints:
        first = self._next[table]
        self._next[table] += count
        return np.arange(first, first + count)

    def _customers(self, rng: np.random.Generator, who: Ints) -> pa.Table:
        people = self.population
        organisation, city, left = people.is_organisation[who], people.city[who], people.left[who]
        reason = people.leave_reason[who]
        dead = reason == LEAVE_REASONS.index("deceased")
        person = person_names(rng, len(who))
        firm = organisation_names(rng, self.places.city_names, city)
        identity = identity_numbers(rng, self.places.city_codes, city, people.birth_year[who], organisation)
        return rows_of("customers", len(who), {
            "id": keys(who + 1),
            "code": numbered("C", who + 1, 8),
            "kind": words(CUSTOMER_KINDS, organisation.astype(np.int32)),
            "key_level": words(KEY_LEVELS, people.key_level[who]),
            "status": words(_STATUSES, np.where(left == NEVER, 0, np.where(dead, 2, 1))),
            "unit_id": keys(self.places.city_unit[city]),
            "township_id": keys(people.township[who] + 1),
            "name": pc.if_else(pa.array(organisation), firm, person),
            "identity_number": identity,
            "birth_year": keys(np.where(organisation, -1, people.birth_year[who])),
            "registered_at": instants(people.registered[who]),
            "left_at": instants(left),
            "leave_reason": words(LEAVE_REASONS, reason),
        })  # fmt: skip

    def _phones(self, rng: np.random.Generator, who: Ints) -> pa.Table:
        p, people = self.parameters.customers, self.population
        second = np.flatnonzero(rng.random(len(who)) < p.second_phone_share)
        landline = rng.random(len(second)) < 0.3
        number = draw_phones(rng, people.city[who[second]], landline, self.places.area_codes)
        number += number == people.phone[who[second]]
        customer = np.concatenate([who, who[second]])
        digits = np.concatenate([people.phone[who], number])
        primary = np.arange(len(customer)) < len(who)
        # Mobile numbers have thirteen digits with the country's 86, and begin with 1 after it.
        mobile = digits // 10**10 == 861
        mobile |= digits // 10**9 // 100 == 861
        return rows_of("customer_phones", len(customer), {
            "id": keys(self._keys("customer_phones", len(customer))),
            "customer_id": keys(customer + 1),
            "e164": numbered("+", digits),
            "kind": words(["mobile", "landline"], (~mobile).astype(np.int32)),
            "is_primary": pa.array(primary),
            "do_not_call": pa.array(rng.random(len(customer)) < p.do_not_call_share),
        })  # fmt: skip

    def _addresses(self, rng: np.random.Generator, who: Ints) -> pa.Table:
        township = self.population.township[who]
        return rows_of("customer_addresses", len(who), {
            "id": keys(who + 1),
            "customer_id": keys(who + 1),
            "township_id": keys(township + 1),
            "detail": addresses(rng, self.places.township_names, township),
            "is_primary": True,
        })  # fmt: skip

    def _accounts(self, rng: np.random.Generator, who: Ints) -> tuple[pa.Table, Ints]:
        """The accounts, and the key of each customer's first account."""
        people = self.population
        two = people.is_organisation[who] & (rng.random(len(who)) < self.parameters.customers.second_account_share)
        owner = np.repeat(np.arange(len(who)), 1 + two)
        key = self._keys("accounts", len(owner))
        first = key[np.searchsorted(owner, np.arange(len(who)))]
        left = people.left[who[owner]]
        fee = people.fee()[who[owner]]
        months = (
            rng.normal(0.6, 0.9, len(owner)) - (people.leave_reason[who[owner]] == LEAVE_REASONS.index("unpaid")) * 3
        )
        status = np.where(left != NEVER, 2, rng.random(len(owner)) < 0.012)
        return rows_of("accounts", len(owner), {
            "id": keys(key),
            "customer_id": keys(who[owner] + 1),
            "number": numbered("96766", key, 10),
            "status": words(["active", "suspended", "closed"], status),
            "balance_fen": pa.array(np.round(fee * months / 10).astype(np.int64) * 10),
            "opened_at": instants(people.registered[who[owner]]),
            "closed_at": instants(left),
        }), first  # fmt: skip

    def _subscriptions(self, rng: np.random.Generator, who: Ints, account: Ints) -> pa.Table:
        people = self.population
        row, product = np.nonzero(people.products[who])
        customer = who[row]
        count = len(row)
        registered, left = people.registered[customer], people.left[customer]
        # Not everything was taken on the first day.
        end_us = self.clock.origin_us + self.clock.end_ms * 1000
        until = np.where(left == NEVER, end_us, left)
        later = (until - registered) * np.where(rng.random(count) < 0.6, 0.0, rng.random(count) ** 2)
        started = registered + later.astype(np.int64) // 1_000_000 * 1_000_000
        tv = np.isin(product, [PRODUCTS.index("cable_tv"), PRODUCTS.index("digital_tv")])
        card = rng.integers(10**11, 10**12, count)
        points = np.where(people.is_organisation[customer], rng.geometric(0.15, count), 1 + (rng.random(count) < 0.2))
        reasons = np.where(left == NEVER, -1, people.leave_reason[customer])
        return rows_of("subscriptions", count, {
            "id": keys(self._keys("subscriptions", count)),
            "account_id": keys(account[row]),
            "product_code": words(PRODUCTS, product),
            "smart_card": pc.if_else(pa.array(tv), numbered("8", card), pa.scalar(None, pa.string())),
            "monthly_fee_fen": keys(people.fees[customer, product]),
            "points": keys(points.astype(np.int64)),
            "started_at": instants(started),
            "ended_at": instants(left),
            "end_reason": words(LEAVE_REASONS, reasons),
        })  # fmt: skip

    def _consents(self, rng: np.random.Generator, who: Ints) -> pa.Table:
        p, people = self.parameters.consents, self.population
        asked = rng.random(len(who)) < p.asked_share
        odds = self._consent_odds(who)
        parts: list[tuple[Ints, Ints, Ints, Flags]] = []
        for name in p.channel_share:
            rows = np.flatnonzero(asked & (rng.random(len(who)) < p.channel_share[name]))
            young = 2026 - people.birth_year[who[rows]] < 35
            own = odds[rows] * p.channel_odds[name] * np.where(young, p.odds_under_35[name], 1.0)
            granted = rng.random(len(rows)) < own / (1 + own)
            same = np.full(len(rows), CONSENT_CHANNELS.index(name))
            parts.append((who[rows], same, np.zeros(len(rows), np.int64), granted))
        rows = np.flatnonzero(asked & (rng.random(len(who)) < p.survey_share))
        voice = np.full(len(rows), CONSENT_CHANNELS.index("voice"))
        parts.append((who[rows], voice, np.ones(len(rows), np.int64), rng.random(len(rows)) < 0.8))
        customer, channel, purpose, granted = (np.concatenate(part) for part in zip(*parts, strict=True))
        start = self._us_to_day(people.registered[customer]) + rng.integers(0, 30, len(customer))
        withdrawn = granted & (rng.random(len(customer)) < p.withdrawn_share)
        end = np.where(withdrawn, start + rng.integers(20, 700, len(customer)), NEVER)
        last = int(self.clock.unix_day(np.array(self.clock.days - 1)))
        end = np.where(end > last, NEVER, end)
        # A withdrawal ends the yes and begins a no.
        no = np.flatnonzero(end != NEVER)
        customer, channel, purpose = (np.concatenate([c, c[no]]) for c in (customer, channel, purpose))
        granted = np.concatenate([granted, np.zeros(len(no), bool)])
        start, end = np.concatenate([start, end[no]]), np.concatenate([end, np.full(len(no), NEVER)])
        kept = np.flatnonzero(start <= last)
        return rows_of("consents", len(kept), {
            "id": keys(self._keys("consents", len(kept))),
            "customer_id": keys(customer[kept] + 1),
            "channel": words(CONSENT_CHANNELS, channel[kept]),
            "purpose": words(["marketing", "survey"], purpose[kept]),
            "granted": pa.array(granted[kept]),
            "valid_from": days(start[kept]),
            "valid_to": days(end[kept]),
        })  # fmt: skip

    def _consent_odds(self, who: Ints) -> Floats:
        p, people = self.parameters.consents, self.population
        share = np.array([self.parameters.cities[code].consent for code in self.places.city_codes])
        odds = (share / (1 - share))[people.city[who]]
        odds = odds * np.where(people.key_level[who] > 0, p.odds_key_customer, 1.0)
        old = self.clock.origin_us - people.registered[who] > 5 * YEAR_DAYS * _DAY_US
        result: Floats = odds * np.where(old, p.odds_after_5_years, 1.0)
        return result

    def _us_to_day(self, moment: Ints) -> Ints:
        """Local day (days since 1970) of an instant; the zone is eight hours ahead all year."""
        return (moment + 8 * 3_600_000_000) // _DAY_US
