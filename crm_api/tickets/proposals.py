"""Actions on many tickets that wait for the province to look at them, e.g. the children of an outage that is over."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actor import PROVINCIAL_ROLES, Actor
from core.time import utc_now
from crm_api.dialect import begin_writing
from crm_api.errors import NotAllowedError, NotFoundError
from crm_api.tickets.errors import WrongStateError
from crm_api.tickets.loop_models import BulkAction, BulkItem
from crm_api.tickets.models import Ticket


def propose(
    session: Session,
    *,
    actor: Actor,
    ticket_ids: Sequence[int],
    action: str,
    parent_id: int | None = None,
    now: datetime | None = None,
) -> BulkAction:
    """Keep an action for the province to look at and carry out."""
    bulk = BulkAction(action=action, parameters={}, status="proposed", parent_id=parent_id)
    bulk.created_by, bulk.created_at = actor.username, now or utc_now()
    session.add(bulk)
    session.flush()
    session.add_all(BulkItem(bulk_id=bulk.id, ticket_id=ticket_id) for ticket_id in ticket_ids)
    session.flush()
    return bulk


def proposals(session: Session, *, actor: Actor) -> list[tuple[BulkAction, list[int]]]:
    """The actions that wait for the province, each with its tickets."""
    if not actor.is_province:
        return []
    found = []
    for bulk in session.scalars(select(BulkAction).where(BulkAction.status == "proposed").order_by(BulkAction.id)):
        tickets = session.scalars(select(BulkItem.ticket_id).where(BulkItem.bulk_id == bulk.id).order_by(BulkItem.id))
        found.append((bulk, list(tickets)))
    return found


def decline(session: Session, *, actor: Actor, bulk_id: int, now: datetime | None = None) -> BulkAction:
    """Throw a proposal away: nothing is done to its tickets.

    Raises:
        NotAllowedError: the actor is not of the province's desk.
        NotFoundError: there is none.
        WrongStateError: it was carried out or declined already.
    """
    if not (actor.is_province and actor.role in PROVINCIAL_ROLES):
        raise NotAllowedError(f"{actor.role} declines no proposals.", "The province does.")
    begin_writing(session)
    bulk = session.get(BulkAction, bulk_id, with_for_update=True)
    if bulk is None:
        raise NotFoundError(f"There is no bulk action {bulk_id}.")
    if bulk.status != "proposed":
        raise WrongStateError(f"Bulk action {bulk_id} is {bulk.status}.")
    bulk.status, bulk.undone_at = "undone", now or utc_now()
    session.flush()
    return bulk


def review_children(session: Session, *, actor: Actor, parent: Ticket, now: datetime) -> BulkAction | None:
    """Propose the resolved children of an outage for review together; None if none waits."""
    waiting = list(
        session.scalars(
            select(Ticket.id).where(Ticket.parent_id == parent.id, Ticket.state == "resolved").order_by(Ticket.id)
        )
    )
    known = session.scalar(
        select(func.count()).where(BulkAction.parent_id == parent.id, BulkAction.status == "proposed")
    )
    if not waiting or known:
        return None
    return propose(session, actor=actor, ticket_ids=waiting, action="begin_review", parent_id=parent.id, now=now)
