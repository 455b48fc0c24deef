"""What time and changed rules ask of open tickets: pauses that end, new targets and calendars, tickets to take in."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.dialect import begin_writing
from crm_api.errors import InvalidError, NotAllowedError, RefusedError
from crm_api.organisation.models import OrgUnit
from crm_api.sla.models import CHANGE_KINDS, SlaChange
from crm_api.sla.service import refresh
from crm_api.tickets.access import adopt, hold
from crm_api.tickets.history import Changes, Step, record
from crm_api.tickets.loop_models import TicketWork
from crm_api.tickets.models import ENDED_STATES, Ticket
from crm_api.tickets.transitions import transition


def system_actor(session: Session) -> Actor:
    """The system acting for the province."""
    province = session.scalar(select(OrgUnit.id).where(OrgUnit.kind == "province"))
    return Actor("system", "system", province or 0, "province")


def resume_due(session: Session, *, limit: int = 50, now: datetime | None = None) -> int:
    """Take tickets up again whose pause was promised to end by now; the number taken up."""
    at = now or utc_now()
    begin_writing(session)
    due = session.execute(
        select(TicketWork.ticket_id)
        .join(Ticket, Ticket.id == TicketWork.ticket_id)
        .where(TicketWork.pending_until <= at, Ticket.state == "pending", Ticket.deleted_at.is_(None))
        .order_by(TicketWork.pending_until, TicketWork.ticket_id)
        .limit(limit)
        .with_for_update(of=Ticket, skip_locked=True)
    ).scalars()
    actor, taken_up = system_actor(session), 0
    for ticket_id in due.all():
        taken_up += any(_try(session, actor, ticket_id, step, at) for step in ("resume", "release"))
    return taken_up


def _try(session: Session, actor: Actor, ticket_id: int, step: str, now: datetime) -> bool:
    try:
        with session.begin_nested():
            transition(session, actor=actor, ticket_id=ticket_id, step=step, reason="挂起到期", now=now)
    except RefusedError:
        return False
    return True


def announce_change(
    session: Session, *, actor: Actor, kind: str, code: str | None = None, now: datetime | None = None
) -> SlaChange:
    """Ask for open tickets to be recomputed after a calendar (`code`) or the policies were changed.

    Raises:
        NotAllowedError: only an administrator changes them.
    """
    if actor.role not in ("administrator", "system"):
        raise NotAllowedError(f"{actor.role} changes no {kind}.", "An administrator does.")
    if kind not in CHANGE_KINDS:
        raise InvalidError(f"kind is {kind!r}.", f"It is one of: {', '.join(CHANGE_KINDS)}.")
    change = SlaChange(kind=kind, code=code, changed_by=actor.username, changed_at=now or utc_now())
    session.add(change)
    session.flush()
    return change


def recompute_next(session: Session, *, limit: int = 200, now: datetime | None = None) -> int:
    """Recompute the next batch of open tickets for the oldest announced change; the number looked at, 0: all done.

    A ticket whose promises moved gets an event that says so; a clock that has ended keeps what it ended under.
    """
    at = now or utc_now()
    begin_writing(session)
    change = session.scalars(
        select(SlaChange).where(SlaChange.done_at.is_(None)).order_by(SlaChange.id).limit(1).with_for_update()
    ).first()
    if change is None:
        return 0
    numbers = session.scalars(
        select(Ticket.id)
        .join(TicketWork, TicketWork.ticket_id == Ticket.id)
        .where(
            Ticket.id > change.last_ticket_id,
            Ticket.state.not_in(ENDED_STATES),
            Ticket.source == "captured",
            Ticket.deleted_at.is_(None),
        )
        .order_by(Ticket.id)
        .limit(limit)
    ).all()
    actor = system_actor(session)
    for number in numbers:
        recompute(session, actor=actor, ticket_id=number, reason=f"{change.kind} {change.code or ''}".strip(), now=at)
    if numbers:
        change.last_ticket_id = numbers[-1]
    else:
        change.done_at = at
    session.flush()
    return max(len(numbers), 1)


def recompute(session: Session, *, actor: Actor, ticket_id: int, reason: str, now: datetime | None = None) -> bool:
    """Choose a ticket's policy anew and read its clocks under today's calendar; True if a promise moved."""
    at = now or utc_now()
    ticket, work = hold(session, actor=actor, ticket_id=ticket_id, now=at)
    before = (dict(work.clocks), ticket.first_response_due_at, ticket.resolution_due_at)
    refresh(session, ticket=ticket, work=work, now=at, rematch=True)
    after = (dict(work.clocks), ticket.first_response_due_at, ticket.resolution_due_at)
    if before == after:
        session.flush()
        return False
    changes: Changes = {
        name: (old, new)
        for name, old, new in zip(("clocks", "first_response_due_at", "resolution_due_at"), before, after, strict=True)
        if old != new
    }
    step = Step("updated", "recompute", ticket.state, reason)
    record(session, actor=actor, ticket=ticket, work=work, step=step, changes=changes, now=at)
    return True


def adopt_open(session: Session, *, limit: int = 200, now: datetime | None = None) -> int:
    """Take open tickets that were loaded in bulk into the loop; the number taken in."""
    at = now or utc_now()
    begin_writing(session)
    found = session.scalars(
        select(Ticket)
        .outerjoin(TicketWork, TicketWork.ticket_id == Ticket.id)
        .where(
            TicketWork.ticket_id.is_(None),
            Ticket.state.not_in(ENDED_STATES),
            Ticket.source == "captured",
            Ticket.deleted_at.is_(None),
        )
        .order_by(Ticket.id)
        .limit(limit)
        .with_for_update(of=Ticket, skip_locked=True)
    ).all()
    for ticket in found:
        adopt(session, ticket=ticket, now=at)
    return len(found)


def waiting_changes(session: Session) -> int:
    """How many announced changes are not worked off yet."""
    return session.scalar(select(func.count()).select_from(SlaChange).where(SlaChange.done_at.is_(None))) or 0
