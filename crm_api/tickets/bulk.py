"""One action on many tickets: looked at first, done ticket by ticket, taken back if it was wrong."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import PROVINCIAL_ROLES, Actor
from core.time import utc_now
from crm_api.dialect import begin_writing
from crm_api.errors import InvalidError, NotAllowedError, NotFoundError, RefusedError
from crm_api.tickets import service
from crm_api.tickets.access import hold
from crm_api.tickets.errors import WrongStateError
from crm_api.tickets.history import Changes, Step, record, set_fields, version_of
from crm_api.tickets.loop_models import BulkAction, BulkItem, TicketEventDetail
from crm_api.tickets.models import Ticket, TicketEvent

#: How many tickets one action takes.
MOST = 500
#: How long a bulk action can be taken back.
UNDO_WITHIN = timedelta(minutes=30)
#: Steps that may be taken in bulk; `edit` changes fields.
STEPS = ("edit", "dispatch", "cancel", "begin_review", "approve", "resolve", "accept", "start")
#: What counts as work done on a ticket: nobody takes a step back that ended or reopened it, or that was answered.
_UNDOABLE = frozenset({"edit", "dispatch", "cancel", "begin_review", "approve", "start"})


@dataclass(frozen=True)
class Outlook:
    """What a bulk action would do, or did, to one ticket; `refusal` says why nothing, `refused` as what was raised."""

    ticket_id: int
    code: str
    from_state: str
    to_state: str
    refusal: str | None = None
    refused: RefusedError | None = field(default=None, compare=False, repr=False)


class _TakenBackError(Exception):
    """Ends a trial: what it wrote is rolled back."""


def preview(
    session: Session,
    *,
    actor: Actor,
    ticket_ids: Sequence[int],
    action: str,
    parameters: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> list[Outlook]:
    """What the action would do to each ticket; each is really tried and rolled back, so nothing is guessed."""
    at = now or utc_now()
    _check(ticket_ids, action)
    begin_writing(session)
    found = []
    for ticket_id in ticket_ids:
        with suppress(_TakenBackError), session.begin_nested():
            found.append(_attempt(session, actor, ticket_id, action, parameters or {}, at)[0])
            raise _TakenBackError
    return found


def carry_out(
    session: Session,
    *,
    actor: Actor,
    ticket_ids: Sequence[int] = (),
    action: str = "",
    parameters: Mapping[str, Any] | None = None,
    bulk_id: int | None = None,
    now: datetime | None = None,
) -> tuple[BulkAction, list[Outlook]]:
    """Do the action to each ticket that allows it; or, with `bulk_id`, one that was proposed.

    A ticket that refuses keeps its refusal in the list and does not hold the others back.
    """
    at = now or utc_now()
    begin_writing(session)
    if bulk_id is None:
        _check(ticket_ids, action)
        bulk = BulkAction(action=action, parameters=dict(parameters or {}), status="done")
        bulk.created_by, bulk.created_at = actor.username, at
        session.add(bulk)
        session.flush()
    else:
        bulk, ticket_ids = _proposed(session, actor, bulk_id)
    outlooks = []
    for ticket_id in sorted(ticket_ids):
        outlook, event_number = _attempt(session, actor, ticket_id, bulk.action, bulk.parameters, at)
        outlooks.append(outlook)
        if outlook.from_state:
            _note(session, bulk, outlook, event_number)
    bulk.status, bulk.done_at = "done", at
    session.flush()
    return bulk, outlooks


def undo(session: Session, *, actor: Actor, bulk_id: int, now: datetime | None = None) -> list[Outlook]:
    """Take a bulk action back, ticket by ticket, by writing the opposite; a ticket that moved on stays.

    Raises:
        NotAllowedError: somebody else did it.
        WrongStateError: it is undone already, too old, or of a kind that is not taken back.
    """
    at = now or utc_now()
    begin_writing(session)
    bulk = session.get(BulkAction, bulk_id, with_for_update=True)
    mine = bulk is not None and bulk.created_by == actor.username
    if bulk is None or not (mine or actor.is_province):
        raise NotFoundError(f"There is no bulk action {bulk_id}.")
    if not mine:
        raise NotAllowedError(f"Bulk action {bulk_id} is {bulk.created_by}'s to take back.")
    if bulk.status != "done" or bulk.action not in _UNDOABLE:
        raise WrongStateError(f"Bulk action {bulk_id} ({bulk.action}, {bulk.status}) cannot be taken back.")
    if bulk.done_at is None or at - bulk.done_at > UNDO_WITHIN:
        raise WrongStateError(f"Bulk action {bulk_id} is too old to be taken back.", "Change the tickets themselves.")
    items = session.scalars(
        select(BulkItem)
        .where(BulkItem.bulk_id == bulk_id, BulkItem.event_number.is_not(None))
        .order_by(BulkItem.ticket_id)
    ).all()
    outlooks = [_undo_one(session, actor, item, at) for item in items]
    bulk.status, bulk.undone_at = "undone", at
    session.flush()
    return outlooks


def _undo_one(session: Session, actor: Actor, item: BulkItem, now: datetime) -> Outlook:
    try:
        ticket, work = hold(session, actor=actor, ticket_id=item.ticket_id, now=now)
    except NotFoundError as refusal:
        # It went to another branch meanwhile: it stays as it is, and the others are still taken back.
        return Outlook(item.ticket_id, str(item.ticket_id), "", "", refusal.message)
    before = ticket.state
    if version_of(session, ticket.id) != item.event_number:
        return Outlook(ticket.id, ticket.code, before, before, "Somebody went on with it.")
    event, detail = session.execute(
        select(TicketEvent, TicketEventDetail)
        .join(TicketEventDetail, TicketEventDetail.event_id == TicketEvent.id)
        .where(TicketEvent.ticket_id == ticket.id, TicketEvent.event_number == item.event_number)
    ).one()
    old = {name: pair[0] for name, pair in detail.changes.items()}
    for name in ("pending_until",):
        if isinstance(old.get(name), str):
            old[name] = datetime.fromisoformat(old[name])
    on_work = {name: value for name, value in old.items() if hasattr(type(work), name)}
    on_ticket = {name: value for name, value in old.items() if name not in on_work}
    changes: Changes = set_fields(ticket, on_ticket) | set_fields(work, on_work)
    step = Step("updated", "undo", event.from_state or before)
    written = record(session, actor=actor, ticket=ticket, work=work, step=step, changes=changes, now=now)
    item.undo_number = written.event_number
    return Outlook(ticket.id, ticket.code, before, ticket.state)


def _check(ticket_ids: Sequence[int], action: str) -> None:
    if action not in STEPS:
        raise InvalidError(f"action is {action!r}.", f"It is one of: {', '.join(STEPS)}.")
    if not 1 <= len(set(ticket_ids)) == len(ticket_ids) <= MOST:
        raise InvalidError(f"{len(ticket_ids)} tickets are named, or one twice.", f"Name 1 to {MOST}, each once.")


def _attempt(
    session: Session, actor: Actor, ticket_id: int, action: str, parameters: Mapping[str, Any], now: datetime
) -> tuple[Outlook, int | None]:
    """Do it to one ticket within a savepoint; what it did, and the number of the event it wrote."""
    seen = session.get(Ticket, ticket_id)
    code, before = (seen.code, seen.state) if seen else (str(ticket_id), "")
    try:
        with session.begin_nested():
            event = _do(session, actor, ticket_id, action, parameters, now)
    except NotFoundError as refusal:
        # Whether it exists is nobody's business who does not see it.
        return Outlook(ticket_id, str(ticket_id), "", "", refusal.message, refusal), None
    except RefusedError as refusal:
        return Outlook(ticket_id, code, before, before, refusal.message, refusal), None
    after = event.to_state if event else before
    return Outlook(ticket_id, code, before, after), event.event_number if event else None


def _do(
    session: Session, actor: Actor, ticket_id: int, action: str, parameters: Mapping[str, Any], now: datetime
) -> TicketEvent | None:
    if action == "edit":
        version = version_of(session, ticket_id)
        return service.edit(
            session, actor=actor, ticket_id=ticket_id, changes=parameters, expected_version=version, now=now
        )
    fields = {name: value for name, value in parameters.items() if name != "reason"}
    return service.transition(
        session,
        actor=actor,
        ticket_id=ticket_id,
        step=action,
        reason=parameters.get("reason"),
        fields=fields,
        now=now,
    )


def _proposed(session: Session, actor: Actor, bulk_id: int) -> tuple[BulkAction, list[int]]:
    if not (actor.is_province and actor.role in PROVINCIAL_ROLES):
        raise NotAllowedError("Proposed actions are the province's to carry out.", "Ask a dispatcher or reviewer.")
    bulk = session.get(BulkAction, bulk_id, with_for_update=True)
    if bulk is None:
        raise NotFoundError(f"There is no bulk action {bulk_id}.")
    if bulk.status != "proposed":
        raise WrongStateError(f"Bulk action {bulk_id} is {bulk.status}.")
    return bulk, list(session.scalars(select(BulkItem.ticket_id).where(BulkItem.bulk_id == bulk_id)))


def _note(session: Session, bulk: BulkAction, outlook: Outlook, event_number: int | None) -> None:
    item = session.scalars(
        select(BulkItem).where(BulkItem.bulk_id == bulk.id, BulkItem.ticket_id == outlook.ticket_id)
    ).first()
    if item is None:
        item = BulkItem(bulk_id=bulk.id, ticket_id=outlook.ticket_id)
        session.add(item)
    item.event_number, item.refusal = event_number, outlook.refusal
    session.flush()
