"""Rows of contacts, calls, queue visits and call segments of a stretch of days."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm_api.contacts.models import EXIT_CLASSES, SEGMENT_KINDS
from simulator import engine_parts as parts
from simulator.calls import Floor, Handled
from simulator.clock import Clock
from simulator.columns import Ints, instants, keys, numbered, rows_of, words
from simulator.contacts import ANSWERED, BLOCK_REASONS, OUTCOMES, VOICE, Catalogue
from simulator.customers import PRODUCTS, Population
from simulator.places import Places
from simulator.roster import Roster

SERVICE_NUMBER = "96766"
_EXITS = np.array([EXIT_CLASSES.index(name) for name in parts.EXIT_NAMES])
_NORMAL_CLEARING = 16
_IVR, _ALERTING, _TALK, _HOLD, _WRAP_UP = (
    SEGMENT_KINDS.index(name) for name in ("ivr", "alerting", "talk", "hold", "wrap_up")
)


@dataclass
class Keys:
    """The next free key of each table; keys run on from stretch to stretch."""

    following: dict[str, int] = field(default_factory=dict)

    def take(self, table: str, count: int) -> Ints:
        """`count` new keys."""
        first = self.following.get(table, 1)
        self.following[table] = first + count
        return np.arange(first, first + count, dtype=np.int64)


@dataclass
class ContactRows:
    """Makes the rows of one stretch after the other."""

    catalogue: Catalogue
    places: Places
    clock: Clock
    population: Population
    roster: Roster
    free: Keys

    def contacts(self, handled: Handled, contact_ids: Ints) -> pa.Table:
        """One row a contact."""
        c = handled.contacts
        return rows_of("contacts", c.count, {
            "id": keys(contact_ids),
            "channel_code": words(self.catalogue.channels, c.channel),
            "external_id": numbered("sim-", contact_ids),
            "direction": "in",
            "customer_id": keys(np.where(c.customer >= 0, c.customer + 1, -1)),
            "unit_id": keys(self.places.city_unit[c.city]),
            "township_id": keys(np.where(c.township >= 0, c.township + 1, -1)),
            "service_type_code": words(self.catalogue.services, c.service),
            "product_code": words(PRODUCTS, c.product),
            "agent_id": keys(np.where(handled.agent >= 0, handled.agent + 1, -1)),
            "started_at": instants(self.clock.utc_us(c.start)),
            "ended_at": instants(self.clock.utc_us(handled.end)),
            "outcome": words(OUTCOMES, handled.outcome),
            "block_reason": words(BLOCK_REASONS, handled.block),
            "is_self_served": pa.array(handled.self_served),
            "remote_address": self._remote(handled),
            "source": "captured",
        })  # fmt: skip

    def _remote(self, handled: Handled) -> pa.Array:
        """Number or address of who got in touch: the customer's own, or one that nobody knows."""
        c = handled.contacts
        unknown = 8_619_900_000_000 + (c.start * 7919 + c.city) % 100_000_000
        phone = np.where(c.customer >= 0, self.population.phone[c.customer], unknown)
        channels = self.catalogue.channels
        by_phone = np.isin(c.channel, [channels.index(name) for name in ("voice", "sms", "web_callback", "fax")])
        by_mail = c.channel == channels.index("email")
        number = numbered("+", phone)
        mail = pc.binary_join_element_wise(numbered("c", c.customer + 1), pa.scalar("@mail.example.cn"), "")
        return pc.if_else(pa.array(by_phone), number, pc.if_else(pa.array(by_mail), mail, pa.scalar(None, pa.string())))

    def calls(self, handled: Handled, contact_ids: Ints) -> tuple[pa.Table, Ints]:
        """One row a voice contact, and the call's key at each contact's position (-1: no call)."""
        voice = np.flatnonzero(handled.contacts.channel == VOICE)
        call_ids = self.free.take("calls", len(voice))
        of_contact = np.full(handled.contacts.count, -1, np.int64)
        of_contact[voice] = call_ids
        return rows_of("calls", len(voice), {
            "id": keys(call_ids),
            "contact_id": keys(contact_ids[voice]),
            "called_number": SERVICE_NUMBER,
            "trunk": words([f"trunk{n}" for n in range(1, 5)], handled.contacts.city[voice] % 4),
            "started_at": instants(self.clock.utc_us(handled.contacts.start[voice])),
            "ended_at": instants(self.clock.utc_us(handled.end[voice])),
            "ivr_seconds": pa.array(handled.ivr_ms[voice] / 1000.0),
            "hangup_cause": _NORMAL_CLEARING,
            "has_recording": pa.array(handled.outcome[voice] == ANSWERED),
        }), of_contact  # fmt: skip

    def visits(self, floor: Floor, contact_ids: Ints) -> tuple[pa.Table, Ints]:
        """One row a queue visit, and the visits' keys."""
        v = floor.visits
        count = v.shape[1]
        visit_ids = self.free.take("queue_visits", count)
        answered = v[parts.V_CLASS] == parts.ANSWERED
        agent = np.where(answered, v[parts.V_AGENT], -1)
        seat = np.where(answered, self.roster.seat_at(agent, v[parts.V_EXIT]) + 1, -1)
        return rows_of("queue_visits", count, {
            "id": keys(visit_ids),
            "contact_id": keys(contact_ids[v[parts.V_CONTACT]]),
            "visit_number": keys(v[parts.V_NUMBER]),
            "queue_id": keys(v[parts.V_QUEUE] + 1),
            "entered_at": instants(self.clock.utc_us(v[parts.V_ENTER])),
            "exited_at": instants(self.clock.utc_us(v[parts.V_EXIT])),
            "exit_class": words(EXIT_CLASSES, _EXITS[v[parts.V_CLASS]]),
            "agent_id": keys(np.where(answered, agent + 1, -1)),
            "seat_id": keys(seat),
            "ended_at": instants(self.clock.utc_us(v[parts.V_END])),
            "is_transferred": pa.array(v[parts.V_TRANSFERRED] == 1),
        }), visit_ids  # fmt: skip

    def segments(self, handled: Handled, floor: Floor, call_ids: Ints, visit_ids: Ints) -> pa.Table:
        """The stretches of each call in order: announcement, then per visit alerting, talk, hold, talk, wrap-up."""
        v = floor.visits
        voice = np.flatnonzero(handled.contacts.channel == VOICE)
        start = handled.contacts.start[voice]
        pieces = [_part(_IVR, call_ids[voice], 0, -1, -1, start, start + handled.ivr_ms[voice])]
        missed = np.flatnonzero(v[parts.V_MISSED_AGENT] >= 0)
        taken = np.flatnonzero(v[parts.V_CLASS] == parts.ANSWERED)
        held = taken[v[parts.V_HOLD_END, taken] > v[parts.V_HOLD_START, taken]]
        ends = np.where(v[parts.V_HOLD_END] > v[parts.V_HOLD_START], v[parts.V_HOLD_START], v[parts.V_END])
        rows = [
            (_ALERTING, missed, v[parts.V_MISSED_AGENT], v[parts.V_MISSED_START], v[parts.V_MISSED_END]),
            (_ALERTING, taken, v[parts.V_AGENT], v[parts.V_ALERT], v[parts.V_EXIT]),
            (_TALK, taken, v[parts.V_AGENT], v[parts.V_EXIT], ends),
            (_HOLD, held, v[parts.V_AGENT], v[parts.V_HOLD_START], v[parts.V_HOLD_END]),
            (_TALK, held, v[parts.V_AGENT], v[parts.V_HOLD_END], v[parts.V_END]),
            (_WRAP_UP, taken, v[parts.V_AGENT], v[parts.V_END], v[parts.V_WRAP_END]),
        ]
        for step, (kind, which, agent, begin, end) in enumerate(rows, start=1):
            place = v[parts.V_NUMBER, which] * 10 + step
            calls = call_ids[v[parts.V_CONTACT, which]]
            pieces.append(_part(kind, calls, place, visit_ids[which], agent[which], begin[which], end[which]))
        kinds, call, place, visit, agent, begin, end = (np.concatenate(column) for column in zip(*pieces, strict=True))
        order = np.argsort(call * 32 + place, kind="stable")
        call = call[order]
        # Numbered 1, 2, … within the call.
        first = np.flatnonzero(np.concatenate([[True], call[1:] != call[:-1]]))
        number = np.arange(len(call)) - np.repeat(first, np.diff(np.append(first, len(call)))) + 1
        return rows_of("call_segments", len(call), {
            "id": keys(self.free.take("call_segments", len(call))),
            "call_id": keys(call),
            "segment_number": keys(number),
            "visit_id": keys(visit[order]),
            "kind": words(SEGMENT_KINDS, kinds[order]),
            "agent_id": keys(np.where(agent[order] >= 0, agent[order] + 1, -1)),
            "started_at": instants(self.clock.utc_us(begin[order])),
            "ended_at": instants(self.clock.utc_us(end[order])),
        })  # fmt: skip


def _part(
    kind: int, call: Ints, place: Ints | int, visit: Ints | int, agent: Ints | int, begin: Ints, end: Ints
) -> tuple[Ints, ...]:
    shape = call.shape
    columns = (kind, call, place, visit, agent, begin, end)
    return tuple(np.broadcast_to(np.asarray(column, np.int64), shape) for column in columns)
