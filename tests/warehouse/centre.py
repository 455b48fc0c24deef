"""A hand-made centre: two days of March 2026 in which every figure can be counted on fingers (times are local)."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from core.time import LOCAL
from crm_api.models import Base
from crm_api.reference.service import load_reference
from tests.warehouse.lake import Rows, stored_rows

MONDAY = date(2026, 3, 2)
TUESDAY = date(2026, 3, 3)

Row = dict[str, Any]


def at(day: date, clock: str) -> datetime:
    """An instant by its local day and clock time."""
    return datetime.fromisoformat(f"{day.isoformat()}T{clock}").replace(tzinfo=LOCAL)


def reference_rows() -> dict[str, Rows]:
    """The reference data as the lake holds it: units, channels, types, products, calendars."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        load_reference(session)
    rows = {name: content for name, content in stored_rows(engine).items() if content}
    engine.dispose()
    return rows


def unit_ids(rows: dict[str, Rows]) -> dict[str, int]:
    """Organisation units by code."""
    return {row["code"]: row["id"] for row in rows["org_units"]}


class Centre:
    """Rows of a small centre, table by table, with the keys that a reader can follow."""

    def __init__(self, reference: dict[str, Rows]) -> None:
        self.rows: dict[str, Rows] = {name: [dict(row) for row in content] for name, content in reference.items()}
        self.units = unit_ids(reference)

    def add(self, table: str, **values: Any) -> int:
        """Add a row; its id (given, or the next number of its table)."""
        content = self.rows.setdefault(table, [])
        values.setdefault("id", max((row["id"] for row in content), default=0) + 1)
        values.setdefault("row_version", 1)
        content.append(values)
        return int(values["id"])

    def contact(self, started: datetime, outcome: str, **values: Any) -> int:
        """A voice contact with a customer of the city given as `city`; ended a minute later unless told."""
        city = values.pop("city", None)
        number = len(self.rows.get("contacts", [])) + 1
        defaults: Row = {
            "channel_code": "voice",
            "external_id": f"call-{number}",
            "direction": "in",
            "unit_id": self.units[city] if city else None,
            "service_type_code": "consultation",
            "started_at": started,
            "ended_at": started + timedelta(minutes=5),
            "outcome": outcome,
            "is_self_served": False,
            "source": "captured",
        }
        return self.add("contacts", **(defaults | values))

    def call(self, contact: int, ivr_seconds: float) -> int:
        """The telephone side of a contact."""
        started = next(row["started_at"] for row in self.rows["contacts"] if row["id"] == contact)
        return self.add("calls", contact_id=contact, started_at=started, ivr_seconds=ivr_seconds, has_recording=False)

    def visit(self, contact: int, entered: datetime, wait: float, exit_class: str | None, **values: Any) -> int:
        """A queue visit of `wait` seconds; answered ones take `talk`, `hold`, `wrap_up` seconds (as segments)."""
        talk, hold, wrap_up = (values.pop(name, 0.0) for name in ("talk", "hold", "wrap_up"))
        exited = None if exit_class is None else entered + timedelta(seconds=wait)
        ended = exited + timedelta(seconds=talk + hold) if exited and exit_class == "answered" else None
        number = 1 + sum(row["contact_id"] == contact for row in self.rows.get("queue_visits", []))
        visit = self.add(
            "queue_visits",
            **(
                {
                    "contact_id": contact,
                    "visit_number": number,
                    "queue_id": 1,
                    "entered_at": entered,
                    "exited_at": exited,
                    "ended_at": ended,
                    "exit_class": exit_class,
                    "is_transferred": False,
                }
                | values
            ),
        )
        if exited:
            self._segments(contact, visit, exited, {"talk": talk, "hold": hold, "wrap_up": wrap_up})
        return visit

    def _segments(self, contact: int, visit: int, start: datetime, seconds: dict[str, float]) -> None:
        calls = [row["id"] for row in self.rows.get("calls", []) if row["contact_id"] == contact]
        call = calls[0] if calls else self.call(contact, 0.0)
        for kind, length in seconds.items():
            if length:
                number = 1 + sum(row["call_id"] == call for row in self.rows.get("call_segments", []))
                end = start + timedelta(seconds=length)
                self.add(
                    "call_segments",
                    call_id=call,
                    segment_number=number,
                    visit_id=visit,
                    kind=kind,
                    started_at=start,
                    ended_at=end,
                )
                start = end

    def state(
        self, agent: int, seat: int | None, state: str, day: date, first: str, last: datetime | str, **v: Any
    ) -> int:
        """An agent's state from a clock time of a day to another (or to an instant)."""
        ended = at(day, last) if isinstance(last, str) else last
        defaults: Row = {"pause_reason": None, "pause_paid": None, "call_id": None, "source": "captured"}
        values = defaults | v
        return self.add(
            "agent_states",
            agent_id=agent,
            seat_id=seat,
            state=state,
            started_at=at(day, first),
            ended_at=ended,
            **values,
        )

    def shift(self, agent: int, seat: int | None, day: date, first: str, last: datetime | str) -> int:
        """An agent's planned shift from a clock time of a day to another (or to an instant)."""
        ends = at(day, last) if isinstance(last, str) else last
        return self.add("shifts", agent_id=agent, seat_id=seat, starts_at=at(day, first), ends_at=ends)

    def ticket(self, created: datetime, **values: Any) -> int:
        """A complaint of Xi'an, still new unless told."""
        number = len(self.rows.get("tickets", [])) + 1
        defaults: Row = {
            "code": f"T{number}",
            "kind": "standard",
            "channel_code": "voice",
            "service_type_code": "complaint",
            "unit_id": self.units["xian"],
            "priority": "normal",
            "state": "new",
            "created_at": created,
            "is_on_behalf": False,
            "source": "captured",
        }
        return self.add("tickets", **(defaults | values))

    def step(self, ticket: int, kind: str, to_state: str, when: datetime) -> int:
        """A step of a ticket."""
        number = 1 + sum(row["ticket_id"] == ticket for row in self.rows.get("ticket_events", []))
        return self.add(
            "ticket_events",
            ticket_id=ticket,
            event_number=number,
            kind=kind,
            to_state=to_state,
            occurred_at=when,
            actor_role="dispatcher",
        )


def equipped(reference: dict[str, Rows]) -> Centre:
    """A centre with two queues, three seats, three agents and three customers, before anything happens."""
    centre = Centre(reference)
    unit = centre.units
    for code, target, priority in (("general", 20, False), ("priority", 10, True)):
        centre.add("queues", code=code, name_zh=code, name_en=code, is_priority=priority, target_seconds=target,
                   calendar_code="hotline")  # fmt: skip
    first = date(2026, 3, 1)
    centre.add("seats", code="S1", centre_code="main", unit_id=unit["province"], calendar_code="hotline",
               installed_on=first)  # fmt: skip
    centre.add("seats", code="S2", centre_code="main", unit_id=unit["province"], calendar_code="hotline",
               installed_on=first, removed_on=TUESDAY)  # fmt: skip
    centre.add("seats", code="X1", centre_code="xian", unit_id=unit["xian"], calendar_code="office",
               installed_on=first)  # fmt: skip
    for code, place in (("A1", "province"), ("A2", "province"), ("A3", "xian")):
        centre.add("agents", code=code, name=f"Agent {code}", unit_id=unit[place])
    registered = at(date(2025, 1, 1), "09:00:00")
    for code, place in (("C1", "xian.yanta"), ("C2", "baoji")):
        centre.add("customers", code=code, kind="person", key_level="none", status="active", unit_id=unit[place],
                   registered_at=registered)  # fmt: skip
    centre.add("customers", code="C3", kind="person", key_level="none", status="left", unit_id=unit["xian"],
               registered_at=registered, left_at=at(TUESDAY, "12:00:00"), leave_reason="price")  # fmt: skip
    return centre


def busy(reference: dict[str, Rows]) -> Centre:
    """The two days of the tests: see tests/warehouse/test_figures.py for what they must give."""
    centre = equipped(reference)
    _monday(centre)
    _tuesday(centre)
    _work(centre)
    return centre


def _monday(centre: Centre) -> None:
    start = at(MONDAY, "08:31:00")
    one = centre.contact(start, "answered", city="xian.yanta", customer_id=1)
    centre.call(one, 30.0)
    # A wait of exactly T is within it.
    centre.visit(
        one, start + timedelta(seconds=30), 20, "answered", agent_id=1, seat_id=1, talk=100, hold=10, wrap_up=30
    )
    # Entered at 08:59:50: counted in that half-hour, though answered in the next.
    two = centre.contact(at(MONDAY, "08:59:45"), "answered", city="xian", customer_id=1, service_type_code="complaint")
    centre.visit(two, at(MONDAY, "08:59:50"), 15, "answered", agent_id=2, seat_id=2, talk=60)
    # Exactly S is short.
    three = centre.contact(at(MONDAY, "09:10:00"), "abandoned", city="baoji", customer_id=2)
    centre.visit(three, at(MONDAY, "09:10:00"), 5, "abandoned")
    four = centre.contact(at(MONDAY, "09:11:00"), "abandoned", city="baoji", customer_id=2)
    centre.visit(four, at(MONDAY, "09:11:00"), 30, "abandoned")
    five = centre.contact(at(MONDAY, "09:20:00"), "ended_in_ivr", city="baoji", is_self_served=True)
    centre.call(five, 45.0)
    centre.contact(at(MONDAY, "09:30:00"), "blocked", city="xian", block_reason="full")
    # Handed on by the first agent, answered again in the priority queue: two visits of one contact.
    seven = centre.contact(at(MONDAY, "10:00:00"), "answered", city="xian", product_code="broadband")
    centre.visit(seven, at(MONDAY, "10:00:00"), 25, "answered", agent_id=1, seat_id=1, talk=40, is_transferred=True)
    centre.visit(seven, at(MONDAY, "10:01:05"), 12, "answered", queue_id=2, agent_id=2, seat_id=2, talk=80, wrap_up=20)
    centre.contact(at(MONDAY, "11:00:00"), "answered", city="xian", channel_code="web_form", agent_id=3,
                   service_type_code="complaint", customer_id=3)  # fmt: skip
    nine = centre.contact(at(MONDAY, "12:00:00"), "other", city="tongchuan")
    centre.visit(nine, at(MONDAY, "12:00:00"), 120, "timeout")
    # Over midnight: Monday's visit, whatever the day of its answer.
    ten = centre.contact(at(MONDAY, "23:59:55"), "answered", city="xian", service_type_code=None)
    centre.visit(ten, at(MONDAY, "23:59:55"), 10, "answered", agent_id=1, seat_id=1, talk=60)


def _tuesday(centre: Centre) -> None:
    centre.contact(at(TUESDAY, "09:00:00"), "answered", city="xian", direction="out", customer_id=1, agent_id=1)
    # Nobody knows where from or what about, nor how it ended.
    twelve = centre.contact(at(TUESDAY, "09:05:00"), "unknown", service_type_code=None)
    centre.visit(twelve, at(TUESDAY, "09:05:00"), 2, "unknown")
    centre.add("import_rejects", source="bank_calls", kind="calls", row_key="k", reason="not a real call",
               started_at=at(TUESDAY, "10:00:00"), channel_code="voice", line=2, raw="")  # fmt: skip


def _work(centre: Centre) -> None:
    """States of the agents, tickets and a survey."""
    centre.state(1, 1, "available", MONDAY, "08:30:00", "08:31:50")
    centre.state(1, 1, "talk", MONDAY, "08:31:50", "08:33:40")
    centre.state(1, 1, "wrap_up", MONDAY, "08:33:40", "08:34:10")
    centre.state(1, 1, "pause", MONDAY, "08:34:10", "08:44:10", pause_reason="rest", pause_paid=True)
    centre.state(2, 2, "available", MONDAY, "08:50:00", "09:10:00")
    # Logged in over midnight: 30 s on each side.
    centre.state(1, 1, "available", MONDAY, "23:59:30", at(TUESDAY, "00:00:30"))
    for contact, size in ((1, 800_000), (2, 480_000)):
        centre.add("recordings", contact_id=contact, file=f"{contact}.wav", is_encrypted=False, seconds=size / 8000,
                   bytes=size, sha256="", recorded_at=at(MONDAY, "08:31:50"), rule="standard")  # fmt: skip
    # Two shifts that overlap, one over midnight, one begun early, one that nobody came to.
    centre.shift(1, 1, MONDAY, "08:30:00", "12:00:00")
    centre.shift(1, 2, MONDAY, "11:00:00", "13:00:00")
    centre.shift(1, 1, MONDAY, "23:30:00", at(TUESDAY, "00:30:00"))
    centre.shift(2, None, MONDAY, "09:00:00", "09:30:00")
    centre.shift(3, 3, TUESDAY, "09:00:00", "10:00:00")
    one = centre.ticket(at(MONDAY, "09:00:00"), contact_id=2, customer_id=1, state="closed",
                        complaint_type_code="signal.broadband.slow", product_code="broadband",
                        first_response_at=at(MONDAY, "09:30:00"), first_response_due_at=at(MONDAY, "10:00:00"),
                        resolved_at=at(TUESDAY, "09:00:00"), resolution_due_at=at(MONDAY, "18:00:00"),
                        closed_at=at(TUESDAY, "10:00:00"))  # fmt: skip
    centre.step(one, "dispatched", "dispatched", at(MONDAY, "09:10:00"))
    centre.step(one, "returned", "returned", at(MONDAY, "09:20:00"))
    centre.step(one, "dispatched", "dispatched", at(MONDAY, "09:25:00"))
    centre.step(one, "accepted", "accepted", at(MONDAY, "09:30:00"))
    centre.step(one, "resolved", "resolved", at(MONDAY, "17:00:00"))
    centre.step(one, "rejected", "in_progress", at(MONDAY, "17:30:00"))
    centre.step(one, "resolved", "resolved", at(TUESDAY, "09:00:00"))
    centre.step(one, "closed", "closed", at(TUESDAY, "10:00:00"))
    centre.ticket(at(TUESDAY, "11:00:00"), contact_id=8, customer_id=3, channel_code="web_form")
    # The outage's own ticket is not a customer's complaint.
    outage = centre.ticket(at(TUESDAY, "11:30:00"), kind="outage", state="dispatched")
    centre.step(outage, "dispatched", "dispatched", at(TUESDAY, "11:31:00"))
    centre.add(
        "survey_answers", contact_id=1, asked_at=at(MONDAY, "09:00:00"), answered_at=at(MONDAY, "09:01:00"), score=4
    )
    centre.add("survey_answers", contact_id=2, asked_at=at(MONDAY, "09:30:00"))
