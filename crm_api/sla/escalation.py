"""The escalation ladder: each (ticket, clock, step) is sent once, looked at again before it is, in business hours."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from core.time import to_local, utc_now
from crm_api.bus.models import Notification
from crm_api.bus.service import publish
from crm_api.dialect import begin_writing
from crm_api.organisation.models import OrgUnit
from crm_api.sla.calendars import calendar_of
from crm_api.sla.clocks import Reading, reached
from crm_api.sla.models import Escalation, EscalationStep
from crm_api.sla.service import refresh
from crm_api.tickets.loop_models import TicketWork
from crm_api.tickets.models import ENDED_STATES, Ticket
from crm_api.webhooks import service as webhooks

_PROVINCIAL = frozenset({"dispatcher", "reviewer", "supervisor", "manager"})
_CLOCKS = {"first_response": ("首次响应", "first response"), "resolution": ("处理", "resolution")}


class Escalated(NamedTuple):
    """How many tickets were looked at, and how many steps were sent."""

    looked_at: int
    sent: int


def escalate(session: Session, *, limit: int = 50, now: datetime | None = None) -> Escalated:
    """Send what the ladder owes for up to `limit` tickets.

    Tickets that another worker holds are left to it. What was recorded and what is told commit together, so a worker
    that dies leaves either both or neither.
    """
    at = now or utc_now()
    begin_writing(session)
    rows = session.execute(
        select(Ticket, TicketWork)
        .join(TicketWork, TicketWork.ticket_id == Ticket.id)
        .where(TicketWork.next_step_at <= at)
        .order_by(TicketWork.next_step_at, Ticket.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    steps = session.scalars(select(EscalationStep).order_by(EscalationStep.percent, EscalationStep.id)).all()
    return Escalated(len(rows), sum(_escalate_one(session, ticket, work, steps, at) for ticket, work in rows))


def _escalate_one(
    session: Session, ticket: Ticket, work: TicketWork, steps: Iterable[EscalationStep], now: datetime
) -> int:
    if ticket.state in ENDED_STATES or ticket.source != "captured" or ticket.deleted_at is not None:
        work.next_step_at = None
        return 0
    current = refresh(session, ticket=ticket, work=work, now=now)
    sent = 0
    for reading in current.readings.values():
        calendar = calendar_of(session, reading.terms.calendar_code)
        if not calendar.is_open(now):
            continue
        for percent in sorted({step.percent for step in steps if reached(reading, step.percent)}):
            reached_at = reading.used_up_at(percent, calendar)
            if _first_time(session, ticket, reading, percent, reached_at=reached_at, now=now):
                recipients = [step.recipient for step in steps if step.percent == percent]
                _tell(session, ticket, work, reading, percent, recipients, now)
                sent += 1
    session.flush()
    refresh(session, ticket=ticket, work=work, now=now)
    session.flush()
    return sent


def _first_time(
    session: Session, ticket: Ticket, reading: Reading, percent: int, *, reached_at: datetime, now: datetime
) -> bool:
    """Record the step; False if it was recorded before."""
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    made = session.scalar(
        insert(Escalation)
        .values(
            ticket_id=ticket.id,
            clock=reading.clock,
            percent=percent,
            reached_at=reached_at,
            fired_at=now,
            target_seconds=reading.terms.target_seconds,
        )
        .on_conflict_do_nothing(index_elements=["ticket_id", "clock", "percent"])
        .returning(Escalation.id)
    )
    return made is not None


def _tell(
    session: Session,
    ticket: Ticket,
    work: TicketWork,
    reading: Reading,
    percent: int,
    recipients: list[str],
    now: datetime,
) -> None:
    zh, en = _CLOCKS[reading.clock]
    due = to_local(reading.due_at)
    texts = {
        "text_zh": f"工单 {ticket.code} {zh}时限已用 {percent}%，到期 {due:%m-%d %H:%M}",
        "text_en": f"Ticket {ticket.code}: {percent} % of its {en} time is used; due {due:%m-%d %H:%M}",
    }
    told: list[dict[str, Any]] = []
    for recipient in recipients:
        address = _address(session, ticket, work, recipient)
        # Two rungs may mean the same people while the province has the ticket.
        if address not in told:
            told.append(address)
    for address in told:
        session.add(Notification(ticket_id=ticket.id, kind="escalation", created_at=now, **address, **texts))
    payload = {"ticket_id": ticket.id, "code": ticket.code, "clock": reading.clock, "percent": percent, "to": told}
    publish(session, topic="escalation", payload=payload, now=now)
    plain = {name: payload[name] for name in ("ticket_id", "code", "clock", "percent")}
    webhooks.publish(session, "ticket.escalated", plain | {"unit_id": ticket.unit_id})


def _address(session: Session, ticket: Ticket, work: TicketWork, recipient: str) -> dict[str, Any]:
    """Whom a recipient means for this ticket: an account, or a role in a unit.

    Before a branch has it, the province's dispatchers stand for its handler and its supervisors for its leads.
    """
    if recipient == "handler" and work.handler:
        return {"username": work.handler, "role": None, "unit_id": ticket.unit_id}
    with_province = ticket.state in ("new", "returned") or ticket.unit_id is None
    if recipient in _PROVINCIAL or with_province:
        role = recipient if recipient in _PROVINCIAL else "dispatcher" if recipient == "handler" else "supervisor"
        return {"username": None, "role": role, "unit_id": None}
    unit = session.get_one(OrgUnit, ticket.unit_id)
    city = unit.parent_id if unit.kind == "county" else unit.id
    return {"username": None, "role": "branch_handler" if recipient == "handler" else recipient, "unit_id": city}
