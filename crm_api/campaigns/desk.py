"""An agent's side of a list: take, check, show the number, write down what came of it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.campaigns.dialling import REACHED, Verdict, recheck, record_outcome
from crm_api.campaigns.models import CallAttempt, CallListEntry
from crm_api.contacts.models import Contact
from crm_api.contacts.service import ContactPayload, receive
from crm_api.customers.models import CustomerPhone
from crm_api.errors import NotFoundError
from crm_api.identity.scope import scoped
from crm_api.routing.outbound_models import OutboundCall


def own_entry(session: Session, entry_id: int, actor: Actor) -> CallListEntry:
    """An entry that `actor` has taken and not told the outcome of; NotFoundError otherwise."""
    mine = select(CallListEntry).where(
        CallListEntry.id == entry_id,
        CallListEntry.reserved_by == actor.username,
        CallListEntry.state == "reserved",
    )
    found = session.scalars(scoped(mine, actor)).one_or_none()
    if found is None:
        raise NotFoundError(f"You have not taken entry {entry_id}.", "Take the next one of the list.")
    return found


def taken_by(session: Session, actor: Actor, *, now: datetime | None = None) -> CallListEntry | None:
    """The entry that `actor` is at."""
    mine = select(CallListEntry).where(
        CallListEntry.reserved_by == actor.username,
        CallListEntry.state == "reserved",
        CallListEntry.reserved_until > (now or utc_now()),
    )
    return session.scalars(scoped(mine, actor).order_by(CallListEntry.reserved_until.desc())).first()


def number_to_dial(
    session: Session, entry_id: int, *, actor: Actor, origin: Origin | None = None, now: datetime | None = None
) -> tuple[Verdict, str | None]:
    """Check a taken entry this moment; the number only if it may be dialled, and the audit log says who saw it."""
    entry = own_entry(session, entry_id, actor)
    verdict = recheck(session, entry.id, now)
    if not verdict.may_dial:
        return verdict, None
    number = session.get_one(CustomerPhone, entry.phone_id).e164
    subject = ("customer", entry.customer_id)
    record(
        session,
        "customer.revealed",
        actor=actor,
        subject=subject,
        origin=origin,
        reason=f"campaign {entry.campaign_id}",
        fields=["phones"],
    )
    return verdict, number


def _dialled(session: Session, entry: CallListEntry) -> int | None:
    """The contact of the call that the dialler made for an entry's present attempt."""
    return session.scalar(
        select(Contact.id)
        .join(OutboundCall, OutboundCall.external_id == Contact.external_id)
        .where(
            OutboundCall.kind == "campaign",
            OutboundCall.origin_id == f"{entry.id}.{entry.attempts + 1}",
            OutboundCall.connected_at.is_not(None),
            Contact.channel_code == "voice",
        )
    )


def tell_outcome(
    session: Session,
    entry_id: int,
    outcome: str,
    *,
    actor: Actor,
    external_id: str,
    agent_id: int | None = None,
    talk_seconds: int | None = None,
    callback_at: datetime | None = None,
    note: str | None = None,
    contact_id: int | None = None,
    origin: Origin | None = None,
    now: datetime | None = None,
) -> CallAttempt:
    """Write down what came of a call that the actor made; a customer who was spoken to gets a contact.

    Raises:
        NotFoundError: the actor has not taken the entry, and did not tell this outcome before.
        InvalidError, ConflictError: as `record_outcome`.
    """
    at = now or utc_now()
    told = select(CallAttempt).where(
        CallAttempt.entry_id == entry_id,
        CallAttempt.external_id == external_id,
        CallAttempt.username == actor.username,
    )
    known = session.scalars(told).one_or_none()
    if known is not None:
        return known
    entry = own_entry(session, entry_id, actor)
    contact_id = contact_id or _dialled(session, entry)
    if contact_id is None and outcome in REACHED:
        payload = ContactPayload(
            started_at=at,
            ended_at=at,
            direction="out",
            outcome="answered",
            customer_id=entry.customer_id,
            service_type_code="proactive_service",
            agent_id=agent_id,
        )
        key = f"campaign-{entry.id}-{external_id}"
        contact = receive(session, channel="voice", external_id=key, payload=payload, actor=actor, origin=origin)
        contact_id = contact.contact.id
    return record_outcome(
        session,
        entry_id,
        outcome,
        actor=actor,
        external_id=external_id,
        now=at,
        talk_seconds=talk_seconds,
        contact_id=contact_id,
        callback_at=callback_at,
        note=note,
        origin=origin,
    )
