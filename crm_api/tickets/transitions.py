"""Taking a ticket from state to state, as its process allows: who may, what must be filled in, what must hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actor import PROVINCIAL_ROLES, Actor
from core.time import require_aware, to_local, utc_now
from crm_api.errors import InvalidError, NotAllowedError
from crm_api.exchange.outgoing import hand_over, sms
from crm_api.organisation.models import OrgUnit
from crm_api.sla.clocks import DONE_STATES
from crm_api.tickets.access import acts, hold
from crm_api.tickets.errors import EditedMeanwhileError, MissingFieldsError, WrongStateError
from crm_api.tickets.history import Changes, Step, changed_since, record, set_fields
from crm_api.tickets.loop_models import (
    PENDING_REASONS,
    ChecklistItem,
    FollowUpCall,
    TicketAssignment,
    TicketWork,
)
from crm_api.tickets.models import ENDED_STATES, Ticket, TicketEvent
from crm_api.tickets.process import Guard, Transition
from crm_api.tickets.process_service import definition_of
from crm_api.tickets.proposals import review_children

#: How long after closing a ticket can be reopened.
REOPEN_DAYS = 30
#: Attempts after which a customer who cannot be reached no longer holds the closing back.
FOLLOW_UP_ATTEMPTS = 3
#: Fields that a step may carry besides its reason.
STEP_FIELDS = ("unit_id", "resolution", "pending_reason", "pending_until", "complaint_type_code")
#: Whether a ticket no longer needs work, for its parent's sake.
SETTLED_STATES = DONE_STATES | set(ENDED_STATES)


@dataclass(frozen=True)
class Option:
    """A step that somebody may take here: what to fill in, and the guards that still hold it back."""

    transition: Transition
    blocked_by: tuple[Guard, ...]


def was_dispatched(session: Session, ticket_id: int) -> bool:
    """Whether the ticket ever went to a branch, by its history."""
    query = select(TicketEvent.id).where(TicketEvent.ticket_id == ticket_id, TicketEvent.kind == "dispatched")
    return session.scalar(query.limit(1)) is not None


def reviewed(session: Session, ticket_id: int) -> bool:
    """Whether a provincial role approved the present piece of work: after the last step that led back to work."""
    last_work = (
        select(func.coalesce(func.max(TicketEvent.event_number), 0))
        .where(TicketEvent.ticket_id == ticket_id, TicketEvent.to_state.not_in(SETTLED_STATES))
        .scalar_subquery()
    )
    query = select(TicketEvent.id).where(
        TicketEvent.ticket_id == ticket_id,
        TicketEvent.kind == "approved",
        TicketEvent.from_state == "in_review",
        TicketEvent.actor_role.in_(PROVINCIAL_ROLES),
        TicketEvent.event_number > last_work,
    )
    return session.scalar(query.limit(1)) is not None


def _no_open_children(session: Session, ticket: Ticket, _now: datetime) -> bool:
    query = select(Ticket.id).where(Ticket.parent_id == ticket.id, Ticket.state.not_in(SETTLED_STATES))
    return session.scalar(query.limit(1)) is None


def _no_open_assignments(session: Session, ticket: Ticket, _now: datetime) -> bool:
    query = select(TicketAssignment.id).where(
        TicketAssignment.ticket_id == ticket.id, TicketAssignment.returned_at.is_(None)
    )
    return session.scalar(query.limit(1)) is None


def _checklist_done(session: Session, ticket: Ticket, _now: datetime) -> bool:
    query = select(ChecklistItem.id).where(
        ChecklistItem.ticket_id == ticket.id, ChecklistItem.is_required, ChecklistItem.done_at.is_(None)
    )
    return session.scalar(query.limit(1)) is None


def _follow_up_done(session: Session, ticket: Ticket, _now: datetime) -> bool:
    """The customer was asked since the approval, or could not be reached often enough; nobody to ask is fine."""
    if ticket.customer_id is None and ticket.contact_id is None:
        return True
    approved_at = session.scalar(
        select(func.max(TicketEvent.occurred_at)).where(
            TicketEvent.ticket_id == ticket.id, TicketEvent.kind == "approved"
        )
    )
    query = select(FollowUpCall.outcome).where(FollowUpCall.ticket_id == ticket.id)
    if approved_at is not None:
        query = query.where(FollowUpCall.called_at >= approved_at)
    outcomes = list(session.scalars(query))
    return bool({"satisfied", "dissatisfied", "refused"} & set(outcomes)) or len(outcomes) >= FOLLOW_UP_ATTEMPTS


def _within_reopen_days(_session: Session, ticket: Ticket, now: datetime) -> bool:
    return ticket.closed_at is not None and now - ticket.closed_at <= timedelta(days=REOPEN_DAYS)


_GUARDS: dict[Guard, Callable[[Session, Ticket, datetime], bool]] = {
    "never_dispatched": lambda session, ticket, _: not was_dispatched(session, ticket.id),
    "was_dispatched": lambda session, ticket, _: was_dispatched(session, ticket.id),
    "no_open_children": _no_open_children,
    "no_open_assignments": _no_open_assignments,
    "checklist_done": _checklist_done,
    "follow_up_done": _follow_up_done,
    "within_reopen_days": _within_reopen_days,
}
_REFUSALS: dict[Guard, tuple[str, str]] = {
    "never_dispatched": ("it was dispatched to a branch", "Let the branch's work be reviewed."),
    "was_dispatched": ("it was never dispatched", "Dispatch it first."),
    "no_open_children": ("it has open children", "Resolve or detach them first."),
    "no_open_assignments": ("a county still works on it", "Let the county return it, or take it back."),
    "checklist_done": ("required items of its checklist are not done", "Do and tick them off."),
    "follow_up_done": ("the customer was not asked yet", "Make the follow-up call first."),
    "within_reopen_days": (f"it was closed more than {REOPEN_DAYS} days ago", "Open a new ticket and link it."),
}


def options(session: Session, *, actor: Actor, ticket: Ticket, work: TicketWork, now: datetime) -> list[Option]:
    """The steps that `actor` may take from here, in the order of the process."""
    if not acts(session, actor=actor, ticket=ticket):
        return []
    found = []
    for transition in definition_of(session, work.process_version_id).leaving(ticket.state):
        if actor.role in transition.roles:
            blocked = [guard for guard in transition.guards if not _GUARDS[guard](session, ticket, now)]
            found.append(Option(transition, tuple(blocked)))
    return [option for option in found if not {"never_dispatched", "was_dispatched"} & set(option.blocked_by)]


def transition(
    session: Session,
    *,
    actor: Actor,
    ticket_id: int,
    step: str,
    reason: str | None = None,
    fields: Mapping[str, Any] | None = None,
    expected_version: int | None = None,
    now: datetime | None = None,
) -> TicketEvent:
    """Take the step of that code (e.g. dispatch, accept, resolve, close) and write it into the history.

    `fields` are those of STEP_FIELDS; `expected_version` is the event number that the caller saw last.

    Raises:
        NotFoundError: `actor` does not see the ticket.
        NotAllowedError: the step is not theirs to take.
        WrongStateError: the state or a guard stands against it.
        MissingFieldsError: the process asks for more at this step.
        EditedMeanwhileError: somebody changed the state, or a field that the step sets, after `expected_version`.
    """
    at = now or utc_now()
    ticket, work = hold(session, actor=actor, ticket_id=ticket_id, now=at)
    given = {name: value for name, value in (fields or {}).items() if value is not None}
    if expected_version is not None:
        meanwhile = changed_since(session, ticket_id, expected_version)
        clashes = {name: each for name, each in meanwhile.items() if name == "state" or name in given}
        if clashes:
            raise EditedMeanwhileError(clashes)
    chosen = _chosen(session, actor, ticket, work, step)
    _require(chosen, reason, given)
    for guard in chosen.guards:
        if not _GUARDS[guard](session, ticket, at):
            because, mend = _REFUSALS[guard]
            raise WrongStateError(f"“{chosen.name_en}” of {ticket.code}: {because}.", mend, guard=guard)
    _protect_closing(session, ticket, chosen)
    if chosen.target == "cancelled":
        return_counties(session, actor=actor, ticket=ticket, work=work, now=at)
    changes = _apply(session, actor, ticket, work, chosen, given, at)
    what = Step(chosen.kind, chosen.code, chosen.target, reason)
    event = record(session, actor=actor, ticket=ticket, work=work, step=what, changes=changes, now=at)
    if chosen.kind == "dispatched":
        hand_over(session, ticket=ticket, event_number=event.event_number, reason=reason)
    if chosen.target == "closed":
        sms(session, ticket=ticket, message_id=f"{ticket.code}-{event.event_number}", key="closed")
    if chosen.target == "closed" and ticket.kind == "outage":
        review_children(session, actor=actor, parent=ticket, now=at)
    return event


def return_counties(session: Session, *, actor: Actor, ticket: Ticket, work: TicketWork, now: datetime) -> None:
    """Take back what counties still have of a ticket, one event each."""
    open_ones = session.scalars(
        select(TicketAssignment).where(TicketAssignment.ticket_id == ticket.id, TicketAssignment.returned_at.is_(None))
    ).all()
    for assignment in open_ones:
        assignment.returned_at, assignment.returned_by = max(now, assignment.sent_at), actor.username
        step = Step("sub_returned", "take_back", ticket.state)
        changes: Changes = {"county_id": (assignment.unit_id, None)}
        record(session, actor=actor, ticket=ticket, work=work, step=step, changes=changes, now=now)


def _chosen(session: Session, actor: Actor, ticket: Ticket, work: TicketWork, step: str) -> Transition:
    chosen = definition_of(session, work.process_version_id).transition(step)
    if chosen is None:
        raise InvalidError(f"The process has no step {step!r}.")
    if actor.role not in chosen.roles or not acts(session, actor=actor, ticket=ticket):
        raise NotAllowedError(f"{actor.role} may not “{chosen.name_en}” ticket {ticket.code}.")
    if ticket.state not in chosen.sources:
        raise WrongStateError(
            f"“{chosen.name_en}” is not possible: ticket {ticket.code} is {ticket.state}.",
            f"It leads from {', '.join(chosen.sources)}.",
        )
    return chosen


def _require(chosen: Transition, reason: str | None, given: Mapping[str, Any]) -> None:
    unknown = sorted(set(given) - set(STEP_FIELDS))
    if unknown:
        raise InvalidError(f"A step carries no field {unknown[0]!r}.", f"It carries: {', '.join(STEP_FIELDS)}.")
    filled = dict(given) | {"reason": reason}
    missing = [name for name in chosen.requires if not filled.get(name) or not str(filled[name]).strip()]
    if missing:
        raise MissingFieldsError(chosen.name_en, missing)
    if reason is not None and len(reason) > 300:
        raise InvalidError(f"The reason has {len(reason)} characters.", "Keep it within 300; the rest is a comment.")


def _protect_closing(session: Session, ticket: Ticket, chosen: Transition) -> None:
    """Whatever the process says: what was dispatched closes only after the province's review."""
    if chosen.target == "closed" and was_dispatched(session, ticket.id) and not reviewed(session, ticket.id):
        raise WrongStateError(
            f"Ticket {ticket.code} was dispatched and its work is not approved.", "Review it first.", guard="reviewed"
        )


def _apply(
    session: Session,
    actor: Actor,
    ticket: Ticket,
    work: TicketWork,
    chosen: Transition,
    given: Mapping[str, Any],
    now: datetime,
) -> Changes:
    """Set what the step sets on the ticket and its work; field -> (old, new)."""
    on_ticket = {name: given[name] for name in ("complaint_type_code",) if name in given}
    on_work = {name: given[name] for name in ("resolution",) if name in given}
    if chosen.kind == "dispatched":
        on_ticket["unit_id"] = _branch(session, given["unit_id"])
        on_work["handler"] = None
    elif chosen.kind == "accepted":
        on_work["handler"] = actor.username
    elif chosen.kind == "returned":
        on_work["handler"] = None
    elif chosen.kind == "pended":
        on_work |= pending_fields(given.get("pending_reason"), given.get("pending_until"), now=now)
    if ticket.state == "pending":
        on_work |= {"pending_reason": None, "pending_until": None}
    if chosen.kind == "approved":
        work.follow_up_at = work.claimed_by = work.claimed_until = None
    return set_fields(ticket, on_ticket) | set_fields(work, on_work)


def pending_fields(reason: Any, until: Any, *, now: datetime) -> dict[str, Any]:
    """The fields of a pause, checked; the until-when may be a datetime or its ISO form."""
    if reason not in PENDING_REASONS:
        raise InvalidError(f"pending_reason is {reason!r}.", f"It is one of: {', '.join(PENDING_REASONS)}.")
    try:
        instant = require_aware(datetime.fromisoformat(until) if isinstance(until, str) else until)
    except (ValueError, AttributeError) as error:
        raise InvalidError(f"pending_until is {until!r}, not an instant with its zone.") from error
    if instant <= now:
        raise InvalidError(f"pending_until is {to_local(instant):%Y-%m-%d %H:%M}, which is over.", "Name a later time.")
    return {"pending_reason": reason, "pending_until": instant}


def _branch(session: Session, unit_id: Any) -> int:
    unit = session.get(OrgUnit, unit_id) if isinstance(unit_id, int) else None
    if unit is None or unit.kind != "city":
        raise InvalidError(f"unit_id is {unit_id!r}, no city branch.", "The province dispatches to a city branch.")
    return unit.id
