"""Calls that the platform makes: which are due, whether they may still be made this moment, what came of them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import to_local, utc_now
from crm_api.audit.service import Origin, record
from crm_api.capture.models import Callback
from crm_api.contacts.models import Contact, QueueVisit
from crm_api.contacts.service import ContactPayload, receive
from crm_api.customers.models import CustomerPhone
from crm_api.dialect import begin_writing, insert_if_absent
from crm_api.routing import outbound_lists as lists
from crm_api.routing.ivr import telephony_actor
from crm_api.routing.outbound_models import DiallerSwitch, OutboundCall
from crm_api.routing.phones import users_of
from crm_api.tickets.models import ENDED_STATES, Ticket
from crm_api.workforce.models import Agent, Queue

#: Local hours within which customers are called; the regulator's limit on unsolicited ones, courtesy for the others.
FIRST_HOUR, LAST_HOUR = 8, 21
MOST_ATTEMPTS = 3
AGAIN_AFTER = timedelta(minutes=15)
#: One customer is not rung more often than this in a day, whatever for.
MOST_A_DAY = 3
#: Of customers who answered, this share at most may have found no agent.
ABANDONED_AT_MOST = 0.03
_OUTAGE_OVER = (*ENDED_STATES, "resolved", "in_review", "follow_up")


@dataclass(frozen=True)
class Due:
    """A call to make now. `queue`: whose agents take it; `kept_since`: the place that it has there.

    `is_preview`: the agent is rung first; `username` names who, if one is named.
    """

    id: int
    kind: str
    number: str
    queue: str | None
    username: str | None
    kept_since: datetime | None
    attempt: int
    key: str
    is_preview: bool = False


@dataclass(frozen=True)
class Record:
    """How the last day went: customers who answered, and those of them who found no agent."""

    answered: int
    abandoned: int

    @property
    def share(self) -> float | None:
        """Of those who answered, who found no agent; None if nobody answered."""
        return self.abandoned / self.answered if self.answered else None

    @property
    def is_over(self) -> bool:
        """Whether more found no agent than may."""
        return self.share is not None and self.share > ABANDONED_AT_MOST


@dataclass(frozen=True)
class DiallerState:
    """Whether the emergency stop is on, since when, by whom and why; and how the last day went."""

    stopped_at: datetime | None
    stopped_by: str | None
    reason: str | None
    day: Record

    @property
    def is_stopped(self) -> bool:
        """Whether nothing may be dialled."""
        return self.stopped_at is not None


def state(session: Session, *, now: datetime | None = None) -> DiallerState:
    """How the platform's own calling stands."""
    row, day = session.get(DiallerSwitch, 1), last_day(session, now=now or utc_now())
    if row is None or row.stopped_at is None:
        return DiallerState(None, None, None, day)
    return DiallerState(row.stopped_at, row.stopped_by, row.reason, day)


def is_stopped(session: Session) -> bool:
    """Whether the emergency stop is on."""
    return session.scalar(select(DiallerSwitch.stopped_at)) is not None


def stop(session: Session, *, actor: Actor, reason: str, origin: Origin | None = None) -> None:
    """Nothing is dialled any more, and what rings is hung up; conversations go on."""
    _switch(session, stopped_at=utc_now(), by=actor.username, reason=reason)
    record(session, "dialler.stopped", actor=actor, subject=("dialler", 1), origin=origin, reason=reason)


def resume(session: Session, *, actor: Actor, origin: Origin | None = None) -> None:
    """Dial again; nothing happens if it was not stopped."""
    if not is_stopped(session):
        return
    _switch(session, stopped_at=None, by=actor.username, reason=None)
    record(session, "dialler.resumed", actor=actor, subject=("dialler", 1), origin=origin)


def _switch(session: Session, *, stopped_at: datetime | None, by: str, reason: str | None) -> None:
    insert_if_absent(session, DiallerSwitch, {"id": 1})
    row = session.get_one(DiallerSwitch, 1)
    row.stopped_at, row.stopped_by, row.reason = stopped_at, by, reason
    session.flush()


def adopt_promises(session: Session, *, now: datetime) -> int:
    """Take over the calls that agents promised and that are due; the number taken. Each is taken once."""
    taken = 0
    for promise in session.scalars(
        select(Callback).where(Callback.done_at.is_(None), Callback.due_at <= now).order_by(Callback.due_at).limit(50)
    ):
        number = promise.number or session.scalar(
            select(CustomerPhone.e164)
            .where(CustomerPhone.customer_id == promise.customer_id, CustomerPhone.deleted_at.is_(None))
            .order_by(CustomerPhone.is_primary.desc(), CustomerPhone.id)
            .limit(1)
        )
        if number:
            values = {
                "kind": "scheduled",
                "mode": "preview",
                "origin_id": str(promise.id),
                "number": number,
                "customer_id": promise.customer_id,
                "ticket_id": promise.ticket_id,
                "username": promise.username,
                "due_at": promise.due_at,
                "created_at": now,
            }
            taken += insert_if_absent(session, OutboundCall, values)
    return taken


def due_calls(session: Session, *, now: datetime, limit: int = 50) -> list[Due]:
    """Calls that are due, those who asked first, in the order of their places; of outages only those that are over."""
    rows = session.execute(
        select(OutboundCall, Queue.code)
        .outerjoin(Queue, Queue.id == OutboundCall.queue_id)
        .outerjoin(Ticket, Ticket.id == OutboundCall.ticket_id)
        .where(
            OutboundCall.state == "waiting",
            OutboundCall.due_at <= now,
            (OutboundCall.kind != "outage_callback") | Ticket.state.in_(_OUTAGE_OVER),
        )
        .order_by(OutboundCall.kind == "campaign", OutboundCall.due_at, OutboundCall.id)
        .limit(limit)
    )
    return [_due(call, queue) for call, queue in rows]


def _due(call: OutboundCall, queue: str | None) -> Due:
    attempt = call.attempts + 1
    return Due(
        call.id,
        call.kind,
        call.number,
        queue,
        call.username,
        call.kept_since,
        attempt,
        key=f"crm-out-{call.id}-{attempt}",
        is_preview=call.mode == "preview",
    )


def begin(session: Session, due: Due, *, now: datetime, username: str | None = None) -> str | None:
    """Check the call again and mark it as being dialled; why it may not be made now, or None.

    What is forbidden for good is done with (refused); what only for the moment stays due for later. The call's
    contact is in the store before the telephone rings.

    Args:
        username: the agent who is rung first; a list's entry lies on their desk while their phone rings.
    """
    begin_writing(session)
    call = session.get_one(OutboundCall, due.id, with_for_update=True)
    if call.state != "waiting":
        return "taken"
    if is_stopped(session):
        return "stopped"
    why, is_final = _forbidden(session, call, now)
    if why is not None:
        call.refused_because = why
        if is_final:
            kind = "cancelled" if why == "spoken_to_since" else "refused"
            call.state, call.disposition, call.ended_at = "done", kind, max(now, call.created_at)
        else:
            call.due_at = now + AGAIN_AFTER
        session.flush()
        return why
    call.state, call.attempts, call.external_id = "dialling", due.attempt, due.key
    call.dialled_at, call.answered_at, call.connected_at, call.refused_because = now, None, None, None
    call.username = username or call.username
    if call.kind == "campaign" and username:
        lists.hand_over(session, call, username, now)
    payload = ContactPayload(
        started_at=now, direction="out", outcome="unknown", remote_address=call.number, customer_id=call.customer_id
    )
    receive(session, channel="voice", external_id=due.key, payload=payload, actor=telephony_actor(session))
    session.flush()
    return None


def _forbidden(session: Session, call: OutboundCall, now: datetime) -> tuple[str | None, bool]:
    """(the rule that forbids the call now, whether for good)."""
    if call.kind == "campaign":
        why = lists.forbidden(session, call, now)
        if why is not None:
            return why, True
    if not FIRST_HOUR <= to_local(now).hour < LAST_HOUR:
        return "calling_hours", False
    numbers = (call.number, call.number.removeprefix("+"))
    day = select(func.count()).where(
        OutboundCall.number.in_(numbers), OutboundCall.dialled_at > now - timedelta(days=1), OutboundCall.id != call.id
    )
    rung = session.scalar(day) or 0
    if call.kind == "campaign" and rung >= MOST_A_DAY:
        lists.put_off(session, call, now)
        return "frequency_cap", True
    if rung + call.attempts >= MOST_A_DAY + 1:
        return "frequency_cap", True
    # Who asked for this call wants it; a promise of ours does not outrank a later no.
    if call.kind != "queue_callback" and session.scalar(
        select(CustomerPhone.id)
        .where(CustomerPhone.e164 == call.number, CustomerPhone.do_not_call, CustomerPhone.deleted_at.is_(None))
        .limit(1)
    ):
        return "do_not_call", True
    if call.kind == "queue_callback" and _spoken_since(session, call):
        return "spoken_to_since", True
    return None, False


def _spoken_since(session: Session, call: OutboundCall) -> bool:
    """Whether the customer has reached an agent after asking to be called."""
    same = Contact.customer_id == call.customer_id if call.customer_id else Contact.remote_address == call.number
    later = select(QueueVisit.id).join(Contact, Contact.id == QueueVisit.contact_id)
    return (
        session.scalar(
            later.where(same, QueueVisit.exit_class == "answered", QueueVisit.exited_at > call.created_at).limit(1)
        )
        is not None
    )


def note_answer(session: Session, key: str, *, connected: bool, now: datetime, agent: str | None = None) -> None:
    """The customer answered, or (`connected`) speaks with an agent; `agent` is that one's code."""
    call = _of(session, key)
    if call is None:
        return
    call.answered_at = call.answered_at or now
    if connected:
        call.connected_at = call.connected_at or now
        if agent is not None:
            call.username = users_of(session, {agent}).get(agent, call.username)
            contact = session.scalars(
                select(Contact).where(Contact.channel_code == "voice", Contact.external_id == key)
            ).one_or_none()
            if contact is not None:
                contact.agent_id = session.scalar(select(Agent.id).where(Agent.code == agent)) or contact.agent_id
        if call.kind == "campaign":
            lists.hand_over(session, call, call.username, now)


def finish(session: Session, key: str, outcome: str, *, now: datetime) -> None:
    """Write down what came of a call; what was not reached is tried again later, up to MOST_ATTEMPTS times.

    Args:
        outcome: connected, abandoned, no_answer, busy, failed, or agent_away (the agent rung first did not answer).
    """
    call = _of(session, key)
    if call is None:
        return
    contact = session.scalars(
        select(Contact).where(Contact.channel_code == "voice", Contact.external_id == key)
    ).one_or_none()
    if contact is not None and (outcome != "connected" or contact.outcome == "unknown"):
        told = {"connected": "answered", "abandoned": "abandoned"}
        contact.outcome = told.get(outcome, "other")
        contact.ended_at = contact.ended_at or max(now, contact.started_at)
    if call.kind == "campaign" and outcome == "agent_away":
        lists.agent_away(session, call, now)
        if contact is not None:
            contact.deleted_at = now
        call.state, call.disposition, call.refused_because = "done", "cancelled", outcome
        call.dialled_at, call.ended_at = None, max(now, call.created_at)
        session.flush()
        return
    outcome = "no_answer" if outcome == "agent_away" else outcome
    if call.kind == "campaign" and outcome != "connected":
        # What was said is the agent's to write down; that nobody was reached is ours.
        lists.tell(session, call, outcome, contact, now)
    if outcome != "connected" and call.kind != "campaign" and call.attempts < MOST_ATTEMPTS:
        if outcome == "abandoned":
            # It counts as abandoned for good; the customer gets another call.
            _again(session, call, now)
        else:
            call.state, call.due_at = "waiting", now + AGAIN_AFTER
            session.flush()
            return
    call.state, call.disposition, call.ended_at = "done", outcome, max(now, call.created_at)
    session.flush()
    if call.kind == "scheduled":
        _tick_off(session, call, outcome, now)


def _again(session: Session, call: OutboundCall, now: datetime) -> None:
    values = {
        "kind": call.kind,
        "mode": call.mode,
        "origin_id": f"{call.origin_id}+{call.attempts}",
        "number": call.number,
        "customer_id": call.customer_id,
        "ticket_id": call.ticket_id,
        "queue_id": call.queue_id,
        "username": call.username,
        "kept_since": call.kept_since,
        "due_at": now,
        "attempts": call.attempts,
        "created_at": now,
    }
    insert_if_absent(session, OutboundCall, values)


def _tick_off(session: Session, call: OutboundCall, outcome: str, now: datetime) -> None:
    promise = session.get(Callback, int(call.origin_id.partition("+")[0]))
    if promise is not None and promise.done_at is None:
        promise.done_at, promise.outcome = now, "reached" if outcome == "connected" else "no_answer"


def _of(session: Session, key: str) -> OutboundCall | None:
    return session.scalars(
        select(OutboundCall).where(OutboundCall.external_id == key, OutboundCall.state == "dialling")
    ).one_or_none()


def unfinished(session: Session) -> list[tuple[Due, bool, bool]]:
    """The calls that are being dialled, as far as the store knows: (call, was answered, is connected)."""
    rows = session.execute(
        select(OutboundCall, Queue.code)
        .outerjoin(Queue, Queue.id == OutboundCall.queue_id)
        .where(OutboundCall.state == "dialling", OutboundCall.external_id.is_not(None))
    )
    return [
        (
            replace(_due(call, code), attempt=call.attempts, key=str(call.external_id)),
            call.answered_at is not None,
            call.connected_at is not None,
        )
        for call, code in rows
    ]


def last_day(session: Session, *, now: datetime) -> Record:
    """Answered and abandoned calls of the last 24 hours."""
    since = OutboundCall.dialled_at > now - timedelta(days=1)
    answered = session.scalar(select(func.count()).where(since, OutboundCall.answered_at.is_not(None))) or 0
    abandoned = session.scalar(select(func.count()).where(since, OutboundCall.disposition == "abandoned")) or 0
    return Record(answered, abandoned)
