"""Merging one customer into another, and undoing it: everything that moved is written down, row by row."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.campaigns.models import CallAttempt, CallListEntry
from crm_api.capture.models import Callback
from crm_api.contacts.models import Contact
from crm_api.customers.group_models import CustomerGroupMember
from crm_api.customers.models import (
    Account,
    Consent,
    Customer,
    CustomerAddress,
    CustomerEmail,
    CustomerMerge,
    CustomerPhone,
)
from crm_api.customers.search_keys import refresh
from crm_api.customers.service import get_customer
from crm_api.dialect import begin_writing
from crm_api.errors import ConflictError, InvalidError, NotFoundError
from crm_api.identity.scope import scoped
from crm_api.routing.outbound_models import OutboundCall
from crm_api.scores.models import KeyLevelProposal
from crm_api.tickets.models import Ticket
from crm_api.webhooks.service import publish

#: What belongs to a customer and moves with a merge (a test holds it against the tables' foreign keys).
MOVED: tuple[Any, ...] = (
    CustomerPhone,
    CustomerEmail,
    CustomerAddress,
    Account,
    Consent,
    Contact,
    Ticket,
    Callback,
    CallListEntry,
    CallAttempt,
    OutboundCall,
    KeyLevelProposal,
    CustomerGroupMember,
)
#: Of two rows that would be equal after the move, the survivor's stays and the other is set aside.
_SAME: dict[Any, tuple[str, ...]] = {
    CustomerPhone: ("e164",),
    CustomerEmail: ("address",),
    Consent: ("channel", "purpose", "valid_from"),
    CallListEntry: ("campaign_id",),
    CustomerGroupMember: ("group_id", "left_at"),
}


def merge(
    session: Session, *, survivor_id: int, merged_id: int, reason: str, actor: Actor, origin: Origin | None = None
) -> CustomerMerge:
    """Move everything of `merged_id` to `survivor_id` and leave a tombstone that points there.

    Of two contradicting consents of one day the refusal stays.

    Raises:
        NotFoundError: one of them is not within the actor's scope.
        InvalidError: they are the same customer.
    """
    if survivor_id == merged_id:
        raise InvalidError("A customer cannot be merged into themselves.", "Name two customers.")
    # Always in the order of ids, so that two merges never wait for each other.
    locked = {key: get_customer(session, key, actor, to_change=True) for key in sorted((survivor_id, merged_id))}
    survivor, merged = locked[survivor_id], locked[merged_id]
    moved: dict[str, Any] = {model.__tablename__: _move(session, model, survivor, merged) for model in MOVED}
    now = utc_now()
    merged.merged_into_id, merged.deleted_at = survivor.id, now
    row = CustomerMerge(
        survivor_id=survivor.id,
        merged_id=merged.id,
        merged_at=now,
        merged_by=actor.username,
        reason=reason,
        moved=json.dumps(moved),
    )
    session.add(row)
    refresh(session, [survivor.id, merged.id])
    record(
        session,
        "customer.merged",
        actor=actor,
        subject=("customer", survivor.id),
        reason=reason,
        origin=origin,
        merged_id=merged.id,
        merge_id=row.id,
    )
    publish(session, "customer.merged", {"customer_id": survivor.id, "merged_id": merged.id, "merge_id": row.id})
    return row


def _move(session: Session, model: Any, survivor: Customer, merged: Customer) -> dict[str, Any]:
    own: Sequence[Any] = session.scalars(select(model).where(model.customer_id == merged.id)).all()
    rows = {row.id: row for row in own}
    twins = _twins(session, model, survivor, rows)
    aside = [key for key in twins if rows[key].deleted_at is None]
    for key in aside:
        rows[key].deleted_at = utc_now()
    refused = [twin.id for key, twin in twins.items() if model is Consent and twin.granted and not rows[key].granted]
    for twin in twins.values():
        if twin.id in refused:
            twin.granted = False
    moving = [key for key in rows if key not in twins]
    demoted = [key for key in moving if getattr(rows[key], "is_primary", False)]
    if moving:
        session.execute(update(model).where(model.id.in_(moving)).values(customer_id=survivor.id))
    if demoted:
        session.execute(update(model).where(model.id.in_(demoted)).values(is_primary=False))
    session.flush()
    return {"moved": moving, "aside": aside, "demoted": demoted, "refused": refused}


def _twins(session: Session, model: Any, survivor: Customer, rows: dict[int, Any]) -> dict[int, Any]:
    """The rows that the survivor has already, by the id of the merged one's row."""
    if model not in _SAME or not rows:
        return {}
    own: Sequence[Any] = session.scalars(select(model).where(model.customer_id == survivor.id)).all()
    kept = {_key(model, row): row for row in own}
    return {key: kept[_key(model, row)] for key, row in rows.items() if _key(model, row) in kept}


def _key(model: Any, row: Any) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in _SAME[model])


def get_merge(session: Session, merge_id: int, actor: Actor) -> CustomerMerge:
    """One merge whose survivor is within the actor's scope; NotFoundError otherwise."""
    mine = scoped(select(Customer.id), actor, with_deleted=True)
    statement = select(CustomerMerge).where(CustomerMerge.id == merge_id, CustomerMerge.survivor_id.in_(mine))
    begin_writing(session)
    row = session.scalars(statement.with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no merge {merge_id}.")
    return row


def undo(session: Session, merge_id: int, *, actor: Actor, origin: Origin | None = None) -> CustomerMerge:
    """Give back what the merge moved; what came since (new contacts, tickets) stays with the survivor.

    Raises:
        NotFoundError: no such merge within the actor's scope.
        ConflictError: it was undone before, or the survivor was itself merged since.
    """
    row = get_merge(session, merge_id, actor)
    survivor = session.get_one(Customer, row.survivor_id, with_for_update=True)
    merged = session.get_one(Customer, row.merged_id, with_for_update=True)
    if row.undone_at is not None:
        raise ConflictError(f"Merge {merge_id} was undone before.")
    if survivor.merged_into_id is not None:
        raise ConflictError("The survivor was merged into another customer since.", "Undo that merge first.")
    moved = json.loads(row.moved)
    for model in MOVED:
        # A merge made by an older program knows nothing of newer tables.
        if model.__tablename__ in moved:
            _give_back(session, model, survivor, merged, moved[model.__tablename__])
    merged.merged_into_id, merged.deleted_at = None, None
    row.undone_at, row.undone_by = utc_now(), actor.username
    session.flush()
    refresh(session, [survivor.id, merged.id])
    subject = ("customer", survivor.id)
    record(session, "customer.merge_undone", actor=actor, subject=subject, origin=origin, merge_id=row.id)
    publish(session, "customer.merge_undone", {"customer_id": survivor.id, "merged_id": merged.id, "merge_id": row.id})
    return row


def _give_back(session: Session, model: Any, survivor: Customer, merged: Customer, log: dict[str, Any]) -> None:
    still = model.customer_id == survivor.id
    for name, values in (("demoted", {"is_primary": True}), ("moved", {"customer_id": merged.id})):
        if log[name]:
            session.execute(update(model).where(model.id.in_(log[name]), still).values(values))
    if log["aside"]:
        session.execute(update(model).where(model.id.in_(log["aside"])).values(deleted_at=None))
    if log["refused"]:
        session.execute(update(model).where(model.id.in_(log["refused"])).values(granted=True))
