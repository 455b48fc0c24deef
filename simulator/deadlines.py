"""When each ticket is due: the delivered service levels over business time, for many tickets at once.

Gives what the operational clock (crm_api.sla) gives, pauses included; a test holds the two together.
"""

from pathlib import Path
from typing import Any

import numpy as np

import crm_api.reference
import crm_api.sla
from core.calendar import follows_weekday, parse_windows
from crm_api.tickets.models import PRIORITIES, TICKET_STATES
from simulator.clock import DAY_MS, Clock
from simulator.columns import Flags, Ints
from simulator.contacts import Catalogue
from simulator.customers import PRODUCTS
from simulator.vocabulary import read_yaml

#: The longest target and pause together reach no further than this beyond the period.
_DAYS_AFTER = 200
_STOPPED = np.array([name in ("pending", "resolved", "in_review", "follow_up", "closed", "cancelled")
                     for name in TICKET_STATES])  # fmt: skip


class OpenTime:
    """A working calendar as cumulated open milliseconds over the simulated period."""

    def __init__(self, windows: list[list[int | str]], observes_holidays: bool, clock: Clock) -> None:
        week = parse_windows(windows, field="windows")
        moments, open_ms = [0], [0]
        for number, day in enumerate(clock.day_list(after=_DAYS_AFTER)):
            weekday = follows_weekday(day, observes_holidays=observes_holidays)
            for window in week:
                if window.weekday == weekday:
                    opens, closes = (number * DAY_MS + s * 1000 for s in (window.opens_second, window.closes_second))
                    moments += [opens, closes]
                    open_ms += [open_ms[-1], open_ms[-1] + closes - opens]
        self._moments, self._open = np.array(moments, np.int64), np.array(open_ms, np.int64)

    def until(self, moment: Ints) -> Ints:
        """Open milliseconds from the period's beginning to each moment."""
        after = np.searchsorted(self._moments, moment, side="right").clip(1, len(self._moments) - 1)
        gone = np.minimum(moment - self._moments[after - 1], self._open[after] - self._open[after - 1])
        total: Ints = self._open[after - 1] + gone
        return total

    def add(self, moment: Ints, amount: Ints) -> Ints:
        """When `amount` of open time is used up from each moment on; used up at closing time is due then."""
        target = self.until(moment) + amount
        after = np.searchsorted(self._open, target, side="left").clip(1, len(self._open) - 1)
        due: Ints = self._moments[after - 1] + target - self._open[after - 1]
        return due


class Deadlines:
    """The policies and calendars that every installation begins with."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._policies: list[dict[str, Any]] = _content(crm_api.sla, "policies.yml")["policies"]
        calendars = _content(crm_api.reference, "catalogue.yml")["calendars"]
        used = {policy["calendar_code"] for policy in self._policies}
        self._calendars = {
            c["code"]: OpenTime(c["windows"], c["observes_holidays"], clock) for c in calendars if c["code"] in used
        }

    def due(
        self, created: Ints, service: Ints, complaint: Ints, product: Ints, priority: Ints, is_key: Flags, events: Ints
    ) -> tuple[Ints, Ints]:
        """First response and resolution due of each ticket, simulated ms, from facts and events (loop.EVENT_FIELDS)."""
        first, resolution = np.zeros_like(created), np.zeros_like(created)
        policy = self._policy_of(service, complaint, product, priority, is_key)
        pauses = _pauses(events, len(created))
        for number, terms in enumerate(self._policies):
            mine = np.flatnonzero(policy == number)
            calendar = self._calendars[terms["calendar_code"]]
            first[mine] = calendar.add(created[mine], _ms(terms["first_response"]))
            due = calendar.add(created[mine], _ms(terms["resolution"]))
            for start, end in pauses:
                stopped = np.flatnonzero(due > start[mine])
                lost = calendar.until(end[mine[stopped]]) - calendar.until(start[mine[stopped]])
                due[stopped] = np.where(lost > 0, calendar.add(due[stopped], lost), due[stopped])
            resolution[mine] = due
        return first, resolution

    def _policy_of(self, service: Ints, complaint: Ints, product: Ints, priority: Ints, is_key: Flags) -> Ints:
        """The first policy all of whose conditions match."""
        policy = np.full(len(service), -1, np.int64)
        for number, terms in enumerate(self._policies):
            fits = policy == -1
            if "is_key_customer" in terms:
                fits &= is_key == terms["is_key_customer"]
            if "service_type_code" in terms:
                fits &= service == self._catalogue.services.index(terms["service_type_code"])
            if "priority" in terms:
                fits &= priority == PRIORITIES.index(terms["priority"])
            if "product_code" in terms:
                fits &= product == PRODUCTS.index(terms["product_code"])
            if "complaint_type_code" in terms:
                below = [
                    f"{leaf}.".startswith(f"{terms['complaint_type_code']}.") for leaf in self._catalogue.complaints
                ]
                fits &= (complaint >= 0) & np.array([*below, False])[complaint]
            policy[fits] = number
        return policy


def _content(package: Any, name: str) -> dict[str, Any]:
    content: dict[str, Any] = read_yaml(Path(package.__file__).with_name(name))
    return content


def _ms(clock: str) -> Ints:
    hours, minutes = clock.split(":")
    return np.array((int(hours) * 60 + int(minutes)) * 60_000, np.int64)


def _pauses(events: Ints, tickets: int) -> list[tuple[Ints, Ints]]:
    """Per ticket the first, second, … stretch in which its clock stood still before it ran on (start > end: none)."""
    ticket, _, _, state, at, _ = events
    if len(ticket) < 2:
        return []
    runs = np.flatnonzero(~_STOPPED[state])
    last_run = np.full(tickets, -1, np.int64)
    last_run[ticket[runs]] = runs
    position = np.arange(len(ticket))
    stopped = position[_STOPPED[state] & (position < last_run[ticket])]
    turn = _turns(ticket[stopped])
    pauses = []
    for number in range(int(turn.max()) + 1 if len(turn) else 0):
        rows = stopped[turn == number]
        start = np.full(tickets, np.iinfo(np.int64).max, np.int64)
        end = np.zeros(tickets, np.int64)
        start[ticket[rows]], end[ticket[rows]] = at[rows], at[rows + 1]
        pauses.append((start, end))
    return pauses


def _turns(ticket: Ints) -> Ints:
    """0, 1, … within each run of equal values."""
    first = np.flatnonzero(np.concatenate([[True], ticket[1:] != ticket[:-1]])) if len(ticket) else ticket
    turns: Ints = np.arange(len(ticket)) - np.repeat(first, np.diff(np.append(first, len(ticket))))
    return turns
