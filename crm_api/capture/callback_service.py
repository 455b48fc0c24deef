"""Callbacks: promised to a customer for a time, seen by who promised them, called, ticked off."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import to_local, utc_now
from crm_api.bus.service import publish
from crm_api.capture.models import CALLBACK_OUTCOMES, Callback
from crm_api.customers.service import get_customer
from crm_api.errors import ConflictError, InvalidError, NotFoundError
from crm_api.tickets.access import find

_FURTHEST = timedelta(days=90)
_LONGEST_DELAY = 24 * 60


def due_callbacks(session: Session, actor: Actor, *, limit: int = 50) -> Sequence[Callback]:
    """One's open callbacks, soonest first."""
    mine = select(Callback).where(Callback.username == actor.username, Callback.done_at.is_(None))
    return session.scalars(mine.order_by(Callback.due_at, Callback.id).limit(limit)).all()


def schedule(
    session: Session,
    *,
    actor: Actor,
    due_at: datetime,
    note: str | None = None,
    customer_id: int | None = None,
    ticket_id: int | None = None,
    number: str | None = None,
    now: datetime | None = None,
) -> Callback:
    """Promise a call.

    Raises:
        InvalidError: the time is over or too far off, or nobody is named to call.
        NotFoundError: the customer or the ticket is not in the actor's scope.
    """
    at = now or utc_now()
    if not at < due_at <= at + _FURTHEST:
        raise InvalidError(f"The callback is for {to_local(due_at):%Y-%m-%d %H:%M}.", "Name a time within 90 days.")
    if customer_id is None and not number:
        raise InvalidError("The callback names neither a customer nor a number.", "Give one of them.")
    if customer_id is not None:
        get_customer(session, customer_id, actor)
    if ticket_id is not None:
        find(session, actor=actor, ticket_id=ticket_id)
    made = Callback(
        customer_id=customer_id,
        ticket_id=ticket_id,
        number=number,
        username=actor.username,
        unit_id=actor.unit_id,
        due_at=due_at,
        note=note,
        created_at=at,
    )
    session.add(made)
    session.flush()
    publish(session, topic="callback", payload={"username": actor.username, "callback_id": made.id})
    return made


def settle(session: Session, *, actor: Actor, callback_id: int, outcome: str) -> Callback:
    """Write down what came of a call.

    Raises:
        NotFoundError: it is nobody's or somebody else's.
        ConflictError: it was settled already.
    """
    if outcome not in CALLBACK_OUTCOMES:
        raise InvalidError(f"outcome is {outcome!r}.", f"It is one of: {', '.join(CALLBACK_OUTCOMES)}.")
    found = _open_one(session, actor, callback_id)
    found.done_at, found.outcome = utc_now(), outcome
    session.flush()
    return found


def postpone(
    session: Session, *, actor: Actor, callback_id: int, minutes: int, now: datetime | None = None
) -> Callback:
    """Put a call off by some minutes from now; its reminder comes again.

    Raises:
        NotFoundError: it is nobody's or somebody else's.
        ConflictError: it was settled already.
        InvalidError: not between a minute and a day.
    """
    found = _open_one(session, actor, callback_id)
    if not 1 <= minutes <= _LONGEST_DELAY:
        raise InvalidError(f"minutes is {minutes}.", "Put it off by a minute to a day.")
    found.due_at, found.reminded_at = (now or utc_now()) + timedelta(minutes=minutes), None
    session.flush()
    return found


def reminded(session: Session, actor: Actor) -> Sequence[Callback]:
    """The calls that one was reminded of and has not settled, soonest first."""
    mine = select(Callback).where(
        Callback.username == actor.username, Callback.done_at.is_(None), Callback.reminded_at.is_not(None)
    )
    return session.scalars(mine.order_by(Callback.due_at, Callback.id).limit(5)).all()


def _open_one(session: Session, actor: Actor, callback_id: int) -> Callback:
    found = session.get(Callback, callback_id)
    if found is None or found.username != actor.username:
        raise NotFoundError(f"There is no callback {callback_id}.")
    if found.done_at is not None:
        raise ConflictError("The callback is settled already.")
    return found
