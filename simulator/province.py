"""A whole province in motion, stretch by stretch, into a sink."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from simulator.calls import Floor, Handled, play_calls
from simulator.churn import Churn
from simulator.clock import HOUR_MS, MINUTE_MS, YEAR_DAYS, Clock
from simulator.columns import looked_up
from simulator.contacts import ABANDONED, VOICE, Catalogue, Demand
from simulator.customers import build_population
from simulator.deadlines import Deadlines
from simulator.demand import day_shapes
from simulator.groups import group_rows
from simulator.outages import OutageDesk
from simulator.parameters import Parameters
from simulator.places import build_places, township_rows
from simulator.roster import build_roster
from simulator.rows_centre import centre_rows, state_rows
from simulator.rows_contacts import ContactRows, Keys
from simulator.rows_customers import CustomerRows
from simulator.rows_tickets import TicketRows
from simulator.sink import Sink
from simulator.staff import build_staff
from simulator.surveys import ask
from simulator.texts import Writer
from simulator.tickets import Tickets, late_repairs, open_tickets
from simulator.written import handle_others, merge

#: A stretch is at most so long, and holds about so many contacts: memory stays bounded.
_LONGEST_STRETCH = 14
_CONTACTS_A_STRETCH = 700_000
#: Loops of tickets may look this far beyond the period for office days.
_DAYS_AFTER = 120


@dataclass(frozen=True)
class Wish:
    """What to simulate."""

    customers: int
    days: int
    seed: int
    until: date


class Province:
    """One simulated province; `run` fills a sink."""

    def __init__(self, wish: Wish, parameters: Parameters, units: list[Mapping[str, Any]]) -> None:
        self.wish, self.parameters = wish, parameters
        self.clock = Clock(wish.until, wish.days)
        self.places = build_places(parameters, units)
        self.catalogue = Catalogue.of(parameters)
        self.population = build_population(wish.customers, parameters, self.places, self.clock, wish.seed)
        shapes = day_shapes(parameters, self.clock)
        calls_a_day = wish.customers * parameters.calls_per_year / YEAR_DAYS
        self.roster = build_roster(parameters, shapes, self.clock, calls_a_day, wish.seed)
        self.staff = build_staff(parameters, self.places, self.roster, wish.customers, wish.seed)
        self.churn = Churn(parameters, self.places, self.clock, self.population)
        self._demand = Demand(parameters, self.catalogue, self.places, self.clock, shapes)
        self._outages = OutageDesk(parameters, self.catalogue, self.places, self.clock)
        self._office_days = self.clock.office_days(after=_DAYS_AFTER)
        self._deadlines = Deadlines(self.catalogue, self.clock)
        self._keys = Keys()
        province = next(int(unit["id"]) for unit in units if unit["kind"] == "province")
        self._contact_rows = ContactRows(
            self.catalogue, self.places, self.clock, self.population, self.roster, self._keys
        )
        self._ticket_rows = TicketRows(self.catalogue, self.places, self.clock, province, Writer(self.catalogue))

    def stretches(self) -> list[tuple[int, int]]:
        """The period in pieces (first day, day after the last)."""
        rate = self.parameters.calls_per_year + self.parameters.other_contacts_per_year
        a_day = max(1.0, self.wish.customers * rate / YEAR_DAYS)
        length = int(np.clip(_CONTACTS_A_STRETCH / a_day, 1, _LONGEST_STRETCH))
        return [(first, min(first + length, self.wish.days)) for first in range(0, self.wish.days, length)]

    def run(self, sink: Sink, progress: Callable[[int], None] = lambda days: None) -> None:
        """Simulate every day; `progress` is told how many days are done."""
        sink.add("townships", township_rows(self.places))
        for table, rows in centre_rows(
            self.parameters, self.catalogue, self.places, self.roster, self.staff, self.clock, self.wish.seed
        ):
            sink.add(table, rows)
        for number, (first, last) in enumerate(self.stretches()):
            rng = np.random.default_rng([self.wish.seed, 100, number])
            self._stretch(rng, first, last, sink)
            progress(last - first)
        for table, rows in CustomerRows(
            self.parameters, self.places, self.clock, self.population, self.wish.seed
        ).slices():
            sink.add(table, rows)
        for table, rows in group_rows(self.population, self.places, self.clock):
            sink.add(table, rows)

    def _stretch(self, rng: np.random.Generator, first: int, last: int, sink: Sink) -> None:
        self.churn.leave(rng, first, last)
        outages, about_outages = self._outages.draw(rng, self.population, first, last)
        contacts = self._demand.draw(rng, self.population, first, last, about_outages)
        voice = contacts.channel == VOICE
        calls, floor = play_calls(
            rng, self.parameters, self.catalogue, contacts.take(voice), self.population, self.roster, (first, last)
        )
        others = handle_others(rng, self.parameters, self.catalogue, contacts.take(~voice), self.staff)
        handled, place = merge(calls, others)
        floor.visits[0] = place[floor.visits[0]]
        floor.intervals[5] = looked_up(place, floor.intervals[5])
        tickets = open_tickets(
            rng, self.parameters, self.catalogue, handled, self.population, self.places, outages, self.clock,
            self._office_days, self._deadlines,
        )  # fmt: skip
        self._remember(handled, tickets, last - first)
        self._write(rng, handled, floor, tickets, sink)

    def _remember(self, handled: Handled, tickets: Tickets, days: int) -> None:
        """What customers went through weighs on who leaves in the stretches that follow."""
        experience, p = self.churn.experience, self.parameters.churn
        experience.fade(days, p.half_life_days)
        customer, voice = handled.contacts.customer, handled.contacts.channel == VOICE
        minutes = np.maximum(handled.waited_ms / MINUTE_MS - 1.0, 0.0) * voice
        experience.remember(experience.waited, customer, minutes)
        experience.remember(experience.abandoned, customer, ((handled.outcome == ABANDONED) & voice).astype(float))
        complaint = tickets.service == self.catalogue.services.index("complaint")
        experience.remember(experience.complaints, tickets.customer, complaint.astype(float))
        late = complaint & late_repairs(tickets, p.late_hours * HOUR_MS)
        experience.remember(experience.late, tickets.customer, late.astype(float))

    def _write(self, rng: np.random.Generator, handled: Handled, floor: Floor, tickets: Tickets, sink: Sink) -> None:
        keys, rows = self._keys, self._contact_rows
        contact_ids = keys.take("contacts", handled.contacts.count)
        sink.add("contacts", rows.contacts(handled, contact_ids))
        calls, call_ids = rows.calls(handled, contact_ids)
        sink.add("calls", calls)
        visits, visit_ids = rows.visits(floor, contact_ids)
        sink.add("queue_visits", visits)
        sink.add("call_segments", rows.segments(handled, floor, call_ids, visit_ids))
        first_state = int(keys.take("agent_states", 0 + 1)[0])
        states = state_rows(floor, self.roster, self.clock, call_ids, first_state)
        keys.take("agent_states", states.num_rows - 1)
        sink.add("agent_states", states)
        ticket_ids = keys.take("tickets", tickets.count)
        sink.add("tickets", self._ticket_rows.tickets(rng, tickets, ticket_ids, contact_ids))
        first_event = int(keys.take("ticket_events", tickets.events.shape[1])[:1].sum())
        sink.add("ticket_events", self._ticket_rows.events(rng, tickets, ticket_ids, first_event))
        answers = ask(rng, self.parameters, self.catalogue, handled, tickets, self.staff, self.clock.end_ms)
        first_answer = int(keys.take("survey_answers", len(answers.asked))[:1].sum())
        sink.add("survey_answers", self._ticket_rows.surveys(answers, first_answer, contact_ids, ticket_ids, handled))
