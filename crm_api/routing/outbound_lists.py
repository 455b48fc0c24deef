"""Call lists through the dialler: entries taken, checked right before the call, handed to the agent who speaks."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_api.campaigns import dialling
from crm_api.campaigns.models import OPEN_STATES, CallListEntry
from crm_api.contacts.models import Contact
from crm_api.dialect import insert_if_absent
from crm_api.routing.ivr import telephony_actor
from crm_api.routing.outbound_models import OutboundCall
from crm_api.workforce.models import Queue

#: Who takes entries for the dialler.
WORKER = "dialler"
#: An agent has so long to write down what was said; after that the entry ends as undecided.
TELL_WITHIN = timedelta(hours=4)
#: Nobody else takes an entry whose time is nearly over before it has ended.
_MARGIN = timedelta(minutes=5)
_AGENT_AWAY_PAUSE = timedelta(minutes=1)
_NEXT_DAY = timedelta(days=1)


def adopt(session: Session, *, campaign_id: int, queue: str, limit: int, mode: str, now: datetime) -> int:
    """Take entries of a call list to be dialled now; the number taken.

    Args:
        queue: code of the queue whose agents speak.
        mode: progressive (the customer is rung first) or preview (the agent is).
    """
    settle_untold(session, campaign_id=campaign_id, now=now)
    queue_id = session.scalar(select(Queue.id).where(Queue.code == queue))
    entries = dialling.next_entries(session, campaign_id=campaign_id, limit=limit, worker=WORKER, now=now)
    for one in entries:
        key = f"{one.entry_id}.{one.attempt}"
        values = {"mode": mode, "number": one.number, "queue_id": queue_id, "due_at": now}
        new = {"kind": "campaign", "origin_id": key, "customer_id": one.customer_id, "created_at": now}
        if not insert_if_absent(session, OutboundCall, values | new):
            _take_up_again(session, key, values)
    return len(entries)


def _take_up_again(session: Session, origin_id: str, values: Mapping[str, object]) -> None:
    """A call that was not made at its time is due once more."""
    call = session.scalars(
        select(OutboundCall).where(
            OutboundCall.kind == "campaign",
            OutboundCall.origin_id == origin_id,
            (OutboundCall.state == "waiting") | OutboundCall.disposition.in_(("refused", "cancelled")),
        )
    ).one_or_none()
    if call is not None:
        call.state, call.disposition, call.ended_at, call.refused_because = "waiting", None, None, None
        for name, value in values.items():
            setattr(call, name, value)
        session.flush()


def entry_of(call: OutboundCall) -> int:
    """Key of the entry that a list's call is made for."""
    return int(call.origin_id.partition(".")[0])


def forbidden(session: Session, call: OutboundCall, now: datetime) -> str | None:
    """Why a list's call may not be made this moment; None: it may.

    What is forbidden for good has ended the entry; otherwise the list offers it again when it may be called.
    """
    verdict = dialling.recheck(session, entry_of(call), now, worker=WORKER)
    if verdict.may_dial:
        return None
    if not verdict.is_final:
        dialling.release(session, entry_of(call), worker=WORKER)
    return verdict.reason or "refused"


def put_off(session: Session, call: OutboundCall, now: datetime) -> None:
    """The customer was rung often enough for today: the list offers the entry again tomorrow."""
    dialling.release(session, entry_of(call), worker=WORKER, again_at=now + _NEXT_DAY)


def hand_over(session: Session, call: OutboundCall, username: str | None, now: datetime) -> None:
    """The entry lies on the desk of the agent who speaks, to write down what was said; without one it only waits."""
    dialling.hand_over(session, entry_of(call), worker=WORKER, to=username or WORKER, until=now + TELL_WITHIN)


def agent_away(session: Session, call: OutboundCall, now: datetime) -> None:
    """The agent did not take the preview: the customer was not rung, the entry goes back to its list."""
    dialling.release(session, entry_of(call), worker=call.username or WORKER, again_at=now + _AGENT_AWAY_PAUSE)


def tell(session: Session, call: OutboundCall, outcome: str, contact: Contact | None, now: datetime) -> None:
    """Write down what came of a list's call, unless its agent has told it already."""
    entry = session.get_one(CallListEntry, entry_of(call), populate_existing=True)
    if entry.state in OPEN_STATES and call.origin_id == f"{entry.id}.{entry.attempts + 1}":
        dialling.record_outcome(
            session,
            entry.id,
            outcome,
            actor=telephony_actor(session),
            external_id=str(call.external_id),
            now=now,
            contact_id=contact.id if contact else None,
        )


def settle_untold(session: Session, *, campaign_id: int, now: datetime) -> int:
    """End as undecided what agents never told, since who was spoken to is not rung again; the number ended."""
    lapsing = session.scalars(
        select(CallListEntry).where(
            CallListEntry.campaign_id == campaign_id,
            CallListEntry.state == "reserved",
            CallListEntry.reserved_until <= now + _MARGIN,
        )
    ).all()
    spoken = {f"{entry.id}.{entry.attempts + 1}": entry for entry in lapsing}
    calls = session.scalars(
        select(OutboundCall).where(
            OutboundCall.kind == "campaign",
            OutboundCall.origin_id.in_(spoken),
            OutboundCall.connected_at.is_not(None),
            OutboundCall.state == "done",
        )
    ).all()
    for call in calls:
        contact = session.scalars(
            select(Contact).where(Contact.channel_code == "voice", Contact.external_id == call.external_id)
        ).one_or_none()
        tell(session, call, "undecided", contact, now)
    return len(calls)
