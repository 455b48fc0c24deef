"""Applying service levels to tickets: which terms, where the clocks stand, and bringing them up to date."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.time import utc_now
from crm_api.errors import NotFoundError
from crm_api.sla.calendars import calendar_of
from crm_api.sla.clocks import CLOCK_NAMES, Clock, Moment, Reading, Terms, reached, read
from crm_api.sla.explain import Explanation, explain
from crm_api.sla.models import Escalation, EscalationStep
from crm_api.sla.policies import matching_policy, terms_of
from crm_api.tickets.loop_models import TicketWork
from crm_api.tickets.models import Ticket, TicketEvent

#: A resolution clock used up to this part makes its ticket one at risk.
AT_RISK_PERCENT = 75
#: Fields of a ticket that policies ask about.
POLICY_FIELDS = frozenset(
    {"service_type_code", "complaint_type_code", "product_code", "channel_code", "priority", "customer_id", "unit_id"}
)


@dataclass(frozen=True)
class Standing:
    """A ticket's clocks at an instant."""

    readings: dict[Clock, Reading]
    at: datetime

    def as_document(self) -> dict[str, Any]:
        """Clock -> policy, target, elapsed, due, standing."""
        return {clock: reading.as_document() for clock, reading in self.readings.items()}


def history_of(session: Session, ticket_id: int) -> list[Moment]:
    """The states of a ticket in order of time, beginning with its creation."""
    rows = session.execute(
        select(TicketEvent.occurred_at, TicketEvent.to_state)
        .where(TicketEvent.ticket_id == ticket_id, TicketEvent.deleted_at.is_(None))
        .order_by(TicketEvent.event_number)
    )
    return [Moment(at, state) for at, state in rows]


def standing(session: Session, *, ticket: Ticket, work: TicketWork, now: datetime | None = None) -> Standing:
    """Where the clocks of a ticket stand."""
    return _standing(session, ticket, work, history_of(session, ticket.id), now or utc_now())


def _standing(session: Session, ticket: Ticket, work: TicketWork, history: list[Moment], now: datetime) -> Standing:
    readings = {}
    for clock in CLOCK_NAMES:
        if clock in work.clocks:
            terms = Terms.from_document(work.clocks[clock])
            readings[clock] = read(
                clock,
                history,
                terms,
                calendar_of(session, terms.calendar_code),
                first_response_at=ticket.first_response_at,
                now=now,
            )
    return Standing(readings, now)


def refresh(session: Session, *, ticket: Ticket, work: TicketWork, now: datetime, rematch: bool = False) -> Standing:
    """Read the clocks anew and keep what lists and the worker look for: due instants, at risk from, next step.

    With `rematch` the policy is chosen anew first; a clock that has ended keeps the terms that it ended under.
    """
    history = history_of(session, ticket.id)
    if rematch:
        _rematch(session, ticket, work, history, now)
    current = _standing(session, ticket, work, history, now)
    resolution = current.readings.get("resolution")
    ticket.first_response_due_at = _due(current.readings.get("first_response"), ticket.first_response_due_at)
    ticket.resolution_due_at = _due(resolution, ticket.resolution_due_at)
    work.at_risk_at = None
    if resolution and resolution.standing == "running":
        calendar = calendar_of(session, resolution.terms.calendar_code)
        work.at_risk_at = resolution.used_up_at(AT_RISK_PERCENT, calendar)
    work.next_step_at = next_step_at(session, ticket=ticket, current=current)
    return current


def _due(reading: Reading | None, before: datetime | None) -> datetime | None:
    """What is promised: a clock that has ended was judged by its promise, which no calendar changes any more."""
    if reading is None:
        return None
    return before if before and reading.standing in ("met", "missed") else reading.due_at


def _rematch(session: Session, ticket: Ticket, work: TicketWork, history: list[Moment], now: datetime) -> None:
    before = _standing(session, ticket, work, history, now).readings
    kept = {clock: reading.terms for clock, reading in before.items() if reading.standing not in ("running", "paused")}
    terms = terms_of(matching_policy(session, ticket)) | kept
    work.clocks = {clock: each.as_document() for clock, each in terms.items()}


def next_step_at(session: Session, *, ticket: Ticket, current: Standing) -> datetime | None:
    """When the ladder has something to send next, in business hours; None: never, as things stand."""
    if ticket.source != "captured":
        return None
    percents = set(session.scalars(select(EscalationStep.percent)))
    rows = session.execute(select(Escalation.clock, Escalation.percent).where(Escalation.ticket_id == ticket.id))
    fired = {(clock, percent) for clock, percent in rows}
    found: list[datetime] = []
    for clock, reading in current.readings.items():
        calendar = calendar_of(session, reading.terms.calendar_code)
        for percent in sorted(percents):
            if (clock, percent) in fired:
                continue
            if reached(reading, percent):
                found.append(calendar.next_open(current.at))
            elif reading.standing == "running":
                found.append(calendar.next_open(reading.used_up_at(percent, calendar)))
    return min(found, default=None)


def explain_clock(
    session: Session, *, ticket: Ticket, work: TicketWork, clock: Clock, now: datetime | None = None
) -> Explanation:
    """Why the clock's deadline is what it is.

    Raises:
        NotFoundError: no target applies to that clock of the ticket.
    """
    at = now or utc_now()
    reading = standing(session, ticket=ticket, work=work, now=at).readings.get(clock)
    if reading is None:
        raise NotFoundError(f"Ticket {ticket.code} has no target for {clock}.", "Its service-level policy names none.")
    calendar = calendar_of(session, reading.terms.calendar_code)
    return explain(reading, history_of(session, ticket.id), calendar, now=at)
