"""The follow-up call: the province asks the customer, before a ticket closes, whether all is well."""

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.actor import PROVINCIAL_ROLES, Actor
from core.time import utc_now
from crm_api.contacts.models import SurveyAnswer
from crm_api.dialect import begin_writing
from crm_api.errors import InvalidError, NotAllowedError
from crm_api.tickets.access import hold
from crm_api.tickets.errors import WrongStateError
from crm_api.tickets.loop_models import FOLLOW_UP_OUTCOMES, FollowUpCall, TicketWork
from crm_api.tickets.models import Ticket

#: How long a claimed call is nobody else's.
CLAIM = timedelta(minutes=15)
#: How long to wait before a customer who did not answer is called again.
RETRY = timedelta(hours=4)


def _waiting(now: datetime, username: str) -> list[object]:
    return [
        Ticket.state == "follow_up",
        Ticket.deleted_at.is_(None),
        or_(TicketWork.follow_up_at.is_(None), TicketWork.follow_up_at <= now),
        or_(TicketWork.claimed_until.is_(None), TicketWork.claimed_until <= now, TicketWork.claimed_by == username),
    ]


def queue(session: Session, *, actor: Actor, limit: int = 50, now: datetime | None = None) -> list[Ticket]:
    """The tickets whose customer may be called now and whom nobody else is calling, longest waiting first."""
    _require_province(actor)
    statement = (
        select(Ticket)
        .join(TicketWork, TicketWork.ticket_id == Ticket.id)
        .where(*_waiting(now or utc_now(), actor.username))  # type: ignore[arg-type]  # conditions from a tuple
        .order_by(TicketWork.state_since, Ticket.id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def claim_next(session: Session, *, actor: Actor, now: datetime | None = None) -> Ticket | None:
    """The next customer to call, kept from others for a quarter of an hour; None: nobody waits."""
    _require_province(actor)
    at = now or utc_now()
    begin_writing(session)
    row = session.execute(
        select(Ticket, TicketWork)
        .join(TicketWork, TicketWork.ticket_id == Ticket.id)
        .where(*_waiting(at, actor.username))  # type: ignore[arg-type]  # conditions from a tuple
        .order_by(TicketWork.state_since, Ticket.id)
        .limit(1)
        .with_for_update(of=TicketWork, skip_locked=True)
    ).first()
    if row is None:
        return None
    ticket, work = row
    work.claimed_by, work.claimed_until = actor.username, at + CLAIM
    session.flush()
    found: Ticket = ticket
    return found


def record_call(
    session: Session,
    *,
    actor: Actor,
    ticket_id: int,
    outcome: str,
    score: int | None = None,
    note: str | None = None,
    now: datetime | None = None,
) -> FollowUpCall:
    """Write down an attempt; an answer also counts as the ticket's survey answer.

    Raises:
        WrongStateError: the ticket does not wait for its call.
        InvalidError: the outcome is unknown, or the score is not 1 to 5.
    """
    _require_province(actor)
    at = now or utc_now()
    if outcome not in FOLLOW_UP_OUTCOMES:
        raise InvalidError(f"outcome is {outcome!r}.", f"It is one of: {', '.join(FOLLOW_UP_OUTCOMES)}.")
    if score is not None and score not in range(1, 6):
        raise InvalidError(f"score is {score!r}.", "It is 1 (bad) to 5 (good).")
    ticket, work = hold(session, actor=actor, ticket_id=ticket_id, now=at)
    if ticket.state != "follow_up":
        raise WrongStateError(f"Ticket {ticket.code} is {ticket.state}: no call is due.", "Approve its work first.")
    attempts = session.scalar(select(func.count()).where(FollowUpCall.ticket_id == ticket_id)) or 0
    call = FollowUpCall(
        ticket_id=ticket_id,
        attempt_number=attempts + 1,
        called_at=max(at, work.state_since),
        caller=actor.username,
        outcome=outcome,
        score=score,
        note=note,
    )
    session.add(call)
    answered = outcome in ("satisfied", "dissatisfied")
    if answered:
        session.add(SurveyAnswer(ticket_id=ticket_id, asked_at=at, answered_at=at, score=score))
    work.follow_up_at = None if answered or outcome == "refused" else at + RETRY
    work.claimed_by = work.claimed_until = None
    session.flush()
    return call


def _require_province(actor: Actor) -> None:
    if actor.role not in PROVINCIAL_ROLES or not actor.is_province:
        raise NotAllowedError(f"{actor.role} makes no follow-up calls.", "The province does.")
