"""People, and a ticket's way through the loop, for the tests of tickets, service levels and the worker."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.actor import Actor, Role
from core.database import session_scope
from crm_api.customers.models import Customer
from crm_api.organisation.models import OrgUnit
from crm_api.tickets import follow_up, service
from crm_api.tickets.history import disagreements
from crm_api.tickets.models import Ticket

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: A Monday in office hours.
START = datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI).astimezone(UTC)
ROLES_OF: dict[str, tuple[Role, ...]] = {
    "province": ("agent", "dispatcher", "reviewer", "supervisor", "manager", "administrator"),
    "branch": ("branch_handler", "branch_lead", "branch_manager"),
}


def at(text: str) -> datetime:
    """An instant as people in Xi'an write it."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


@dataclass
class World:
    """A store with people in it; `now` moves on a minute with every call."""

    engine: Engine
    now: datetime = START
    units: dict[str, int] = field(default_factory=dict)
    people: dict[str, Actor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with session_scope(self.engine) as session:
            self.units = {row.code: row.id for row in session.execute(select(OrgUnit.code, OrgUnit.id))}
            session.add(Customer(code="C1", kind="person", registered_at=START - timedelta(days=900)))
            session.add(Customer(code="K1", kind="person", key_level="gold", registered_at=START - timedelta(days=900)))
        province = self.units["province"]
        self.people = {role: Actor(role, role, province, "province") for role in ROLES_OF["province"]}
        for code in ("baoji", "xian"):
            for role in ROLES_OF["branch"]:
                self.people[f"{code}.{role}"] = Actor(
                    f"{code}.{role}", role, self.units[code], "city", self.units[code]
                )
        for code in ("baoji.qishan", "baoji.jintai", "xian.beilin"):
            city = self.units[code.split(".")[0]]
            self.people[code] = Actor(code, "branch_handler", self.units[code], "county", city)
        self.people["system"] = Actor("system", "system", province, "province")

    def who(self, name: str) -> Actor:
        """The person of that name."""
        return self.people[name]

    def tick(self, **amount: float) -> datetime:
        """Let time pass (a minute if not told) and say what time it is."""
        self.now += timedelta(**amount) if amount else timedelta(minutes=1)
        return self.now

    def customer(self, session: Session, code: str = "C1") -> int:
        """The id of a customer."""
        return session.scalars(select(Customer.id).where(Customer.code == code)).one()

    def open(self, name: str = "agent", **arguments: Any) -> int:
        """A new complaint of a customer; its id."""
        with session_scope(self.engine) as session:
            values = {
                "channel_code": "voice",
                "service_type_code": "complaint",
                "customer_id": self.customer(session),
                "title": "无图像",
            }
            values |= arguments.pop("values", {})
            ticket = service.create(session, actor=self.who(name), values=values, now=self.tick(), **arguments)
            return ticket.id

    def step(self, name: str, ticket_id: int, step: str, *, reason: str | None = None, **fields: Any) -> None:
        """One step by one person, in a transaction of its own."""
        with session_scope(self.engine) as session:
            service.transition(
                session,
                actor=self.who(name),
                ticket_id=ticket_id,
                step=step,
                reason=reason,
                fields=fields,
                now=self.tick(),
            )

    def to(self, ticket_id: int, state: str, branch: str = "baoji") -> None:
        """Walk a new ticket straight to a state."""
        handler = f"{branch}.branch_handler"
        walk = [
            ("dispatched", "dispatcher", "dispatch", {"unit_id": self.units[branch]}),
            ("accepted", handler, "accept", {}),
            ("in_progress", handler, "start", {}),
            ("resolved", handler, "resolve", {"resolution": "更换机顶盒"}),
            ("in_review", "reviewer", "begin_review", {}),
            ("follow_up", "reviewer", "approve", {}),
            ("closed", "reviewer", "close", {}),
        ]
        present = self.ticket(ticket_id).state
        reached = ["new", *(target for target, *_ in walk)]
        for target, name, step, fields in walk[reached.index(present) :]:
            if present == state:
                return
            if target == "closed":
                self.call_back(ticket_id)
            self.step(name, ticket_id, step, **fields)
            present = target

    def call_back(self, ticket_id: int, outcome: str = "satisfied", **values: Any) -> None:
        """A follow-up call."""
        with session_scope(self.engine) as session:
            follow_up.record_call(
                session,
                actor=self.who("reviewer"),
                ticket_id=ticket_id,
                outcome=outcome,
                now=self.tick(),
                **values,
            )

    def ticket(self, ticket_id: int) -> Ticket:
        """The ticket as it is stored."""
        with session_scope(self.engine) as session:
            return session.get_one(Ticket, ticket_id)

    def disagreements(self, ticket_id: int) -> list[str]:
        """Where the ticket differs from its replayed history."""
        with session_scope(self.engine) as session:
            return disagreements(session, ticket_id)
