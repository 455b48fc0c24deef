"""Rows of tickets, their events, and survey answers."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm_api.tickets.models import ACTOR_ROLES, EVENT_KINDS, PRIORITIES, TICKET_KINDS, TICKET_STATES
from simulator.calls import Handled
from simulator.clock import Clock
from simulator.columns import Ints, instants, keys, looked_up, numbered, rows_of, words
from simulator.contacts import Catalogue
from simulator.customers import PRODUCTS
from simulator.places import Places
from simulator.surveys import Answers
from simulator.texts import Writer
from simulator.tickets import Tickets

_BRANCH = np.array([role.startswith("branch") for role in ACTOR_ROLES])
_PEOPLE = 9
_REASONS: dict[str, tuple[str, ...]] = {
    "pended": ("等待客户约定时间", "等待备件", "天气原因", "需物业配合进场", "需道路施工许可"),
    "returned": ("非本辖区客户", "客户信息不全", "需省公司核实资费"),
    "rejected": ("客户反映问题仍在", "处理说明不完整", "未附处理照片"),
    "cancelled": ("客户撤诉", "与已有工单重复", "误建工单"),
    "reopened": ("故障重现", "客户对处理结果不满意"),
}


@dataclass
class TicketRows:
    """Makes the rows of one stretch after the other."""

    catalogue: Catalogue
    places: Places
    clock: Clock
    province_unit: int
    writer: Writer

    def tickets(self, rng: np.random.Generator, tickets: Tickets, ticket_ids: Ints, contact_ids: Ints) -> pa.Table:
        """One row a ticket; parents of outages come before their children."""
        t = tickets
        day = self.clock.unix_day(t.created // 86_400_000)
        title, description = self.writer.write(rng, t, self.places)

        def moment(value: Ints) -> pa.Array:
            return instants(self.clock.utc_us(value))

        return rows_of("tickets", t.count, {
            "id": keys(ticket_ids),
            "code": _codes(day, ticket_ids),
            "kind": words(TICKET_KINDS, t.is_outage.astype(np.int32)),
            "contact_id": keys(looked_up(contact_ids, t.contact)),
            "customer_id": keys(np.where(t.customer >= 0, t.customer + 1, -1)),
            "parent_id": keys(looked_up(ticket_ids, t.parent)),
            "channel_code": words(self.catalogue.channels, t.channel),
            "service_type_code": words(self.catalogue.services, t.service),
            "complaint_type_code": words(self.catalogue.complaints, t.complaint),
            "product_code": words(PRODUCTS, t.product),
            "unit_id": keys(self.places.city_unit[t.city]),
            "township_id": keys(np.where(t.township >= 0, t.township + 1, -1)),
            "priority": words(PRIORITIES, t.priority),
            "state": words(TICKET_STATES, t.state),
            "title": title,
            "description": description,
            "created_at": moment(t.created),
            "first_response_at": moment(t.first_response),
            "first_response_due_at": moment(t.first_response_due),
            "resolved_at": moment(t.resolved),
            "resolution_due_at": moment(t.resolution_due),
            "closed_at": moment(t.closed),
            "is_on_behalf": pa.array(t.on_behalf),
            "source": "captured",
        })  # fmt: skip

    def events(self, rng: np.random.Generator, tickets: Tickets, ticket_ids: Ints, first_id: int) -> pa.Table:
        """One row a step, ticket by ticket."""
        ticket, kind, before, after, at, role = tickets.events
        count = len(ticket)
        first = np.flatnonzero(np.concatenate([[True], ticket[1:] != ticket[:-1]])) if count else np.zeros(0, np.int64)
        number = np.arange(count) - np.repeat(first, np.diff(np.append(first, count))) + 1
        city = tickets.city[ticket]
        branch = _BRANCH[role]
        names, actor = self._actors(rng, role, city, branch)
        texts, reason = _reasons(rng, kind)
        return rows_of("ticket_events", count, {
            "id": keys(np.arange(first_id, first_id + count)),
            "ticket_id": keys(ticket_ids[ticket]),
            "event_number": keys(number),
            "kind": words(EVENT_KINDS, kind),
            "from_state": words(TICKET_STATES, before),
            "to_state": words(TICKET_STATES, after),
            "occurred_at": instants(self.clock.utc_us(at)),
            "actor_role": words(ACTOR_ROLES, role),
            "actor": words(names, actor),
            "unit_id": keys(np.where(branch, self.places.city_unit[city], self.province_unit)),
            "reason": words(texts, reason),
        })  # fmt: skip

    def _actors(self, rng: np.random.Generator, role: Ints, city: Ints, branch: Ints) -> tuple[list[str], Ints]:
        """Account names: of the province `role3`, of a branch `city.role3`."""
        places = ["", *(f"{code}." for code in self.places.city_codes)]
        names = [f"{place}{role_}{n}" for place in places for role_ in ACTOR_ROLES for n in range(1, _PEOPLE + 1)]
        place = np.where(branch, city + 1, 0)
        return names, (place * len(ACTOR_ROLES) + role) * _PEOPLE + rng.integers(0, _PEOPLE, len(role))

    def surveys(
        self, answers: Answers, first_id: int, contact_ids: Ints, ticket_ids: Ints, handled: Handled
    ) -> pa.Table:
        """One row a question put to a customer."""
        count = len(answers.asked)
        return rows_of("survey_answers", count, {
            "id": keys(np.arange(first_id, first_id + count)),
            "contact_id": keys(looked_up(contact_ids, answers.contact)),
            "ticket_id": keys(looked_up(ticket_ids, answers.ticket)),
            "asked_at": instants(self.clock.utc_us(answers.asked)),
            "answered_at": instants(self.clock.utc_us(answers.answered)),
            "score": keys(answers.score),
        })  # fmt: skip


def _codes(unix_day: Ints, ticket_ids: Ints) -> pa.Array:
    day = pc.strftime(pa.array(unix_day.astype(np.int32)).view(pa.date32()), format="%Y%m%d")
    return pc.binary_join_element_wise(pa.scalar("T"), day, numbered("-", ticket_ids, 8), "")


def _reasons(rng: np.random.Generator, kind: Ints) -> tuple[list[str], Ints]:
    texts: list[str] = []
    chosen = np.full(len(kind), -1, np.int64)
    for name, choices in _REASONS.items():
        rows = np.flatnonzero(kind == EVENT_KINDS.index(name))
        chosen[rows] = len(texts) + rng.integers(0, len(choices), len(rows))
        texts += choices
    return texts, chosen
