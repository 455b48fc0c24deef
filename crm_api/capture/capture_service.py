"""Capturing one exchange: the contact, and the ticket if it needs one, in one transaction and once a key."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.time import utc_now
from crm_api.audit.service import Origin
from crm_api.capture.forms import Fields
from crm_api.contacts import service as contacts
from crm_api.contacts.models import DIRECTIONS, Contact
from crm_api.customers.models import Customer
from crm_api.errors import InvalidError
from crm_api.identity.models import User
from crm_api.identity.sessions import Identity
from crm_api.suggestions.models import ComplaintSuggestion
from crm_api.suggestions.service import note_choice
from crm_api.tickets import service as tickets
from crm_api.tickets.errors import MissingFieldsError
from crm_api.tickets.models import Ticket

#: Types that are counted as tickets even when they are answered at once; the others need only the contact.
TRACKED = frozenset({"complaint", "suggestion", "order", "internal_maintenance"})
_TITLE = 80


@dataclass(frozen=True)
class Captured:
    """What was made: the contact, and the ticket if there is one."""

    contact: Contact
    ticket: Ticket | None


def capture(session: Session, *, identity: Identity, sent: Fields, origin: Origin) -> Captured:
    """Take in what the form says; sent twice with one key, it is captured once.

    Raises:
        MissingFieldsError: the text, the service type or the key is missing, or a complaint's type.
        ConflictError: the key was used for something else.
    """
    now = utc_now()
    text, service_type, key = (
        sent.text("text"),
        sent.text("service_type_code", longest=60),
        sent.text("key", longest=80),
    )
    needed = {"text": text, "service_type_code": service_type, "key": key}
    opens = sent.text("after", longest=10) == "ticket"
    if opens and service_type == "complaint":
        needed["complaint_type_code"] = sent.text("complaint_type_code", longest=80)
    missing = [name for name, value in needed.items() if not value]
    if missing or not text or not service_type or not key:
        raise MissingFieldsError("Capture", missing)
    contact = _contact(session, identity, sent, origin, key, now)
    if not opens and service_type.split(".")[0] not in TRACKED:
        return Captured(contact, None)
    ticket = _ticket(session, identity, sent, contact, key, now)
    _note_choice(session, identity, sent, ticket)
    if not opens and ticket.state == "new":
        tickets.transition(
            session,
            actor=identity.actor,
            ticket_id=ticket.id,
            step="close_at_once",
            fields={"resolution": sent.text("resolution") or text},
            now=now,
        )
    return Captured(contact, ticket)


def contact_of_call(session: Session, call: str) -> int | None:
    """The contact of a call on the telephone; None until telephony has stored it, a moment after it began."""
    return session.scalar(select(Contact.id).where(Contact.channel_code == "voice", Contact.external_id == call))


def _note_choice(session: Session, identity: Identity, sent: Fields, ticket: Ticket) -> None:
    """Keep what was suggested beside what was chosen, once a ticket: the next model learns from it."""
    chosen = sent.text("complaint_type_code", longest=80)
    if chosen is None or session.scalar(
        select(ComplaintSuggestion.id).where(ComplaintSuggestion.ticket_id == ticket.id).limit(1)
    ):
        return
    suggested = [_suggestion(each) for each in sent.listed("suggested", longest=100)[:5]]
    note_choice(
        session,
        actor=identity.actor,
        text=sent.text("text") or "",
        suggested=suggested,
        chosen_code=chosen,
        ticket_id=ticket.id,
    )


def _suggestion(typed: str) -> tuple[str, float]:
    """`code=0.93` as it stood beside a chip."""
    code, _, confidence = typed.partition("=")
    try:
        return code, min(1.0, max(0.0, float(confidence)))
    except ValueError as error:
        raise InvalidError(f"suggested is {typed!r}.", "Send what was suggested as code=confidence.") from error


def _contact(session: Session, identity: Identity, sent: Fields, origin: Origin, key: str, now: datetime) -> Contact:
    actor, known = identity.actor, sent.number("contact_id")
    if known is not None:
        contact = contacts.get_contact(session, known, actor, to_change=True)
        changes: dict[str, Any] = {
            "service_type_code": sent.text("service_type_code"),
            "product_code": sent.text("product_code", longest=40),
            "text": sent.text("text"),
            "wrap_up_code": sent.text("wrap_up_code", longest=80),
        }
        if sent.number("customer_id") is not None:
            changes["customer_id"] = sent.number("customer_id")
        contacts.change_contact(session, contact, changes, actor=actor, origin=origin)
        return contact
    direction = sent.text("direction", longest=4) or "in"
    if direction not in DIRECTIONS:
        raise InvalidError(f"direction is {direction!r}.", "It is in or out.")
    channel = sent.text("channel_code", longest=40) or "voice"
    began = sent.local_time("began_at")
    received = contacts.receive(
        session,
        channel=channel,
        external_id=f"desk-{identity.user_id}-{key}",
        payload=contacts.ContactPayload(
            started_at=min(began, now) if began else now,
            ended_at=now,
            direction=direction,
            outcome="answered",
            remote_address=sent.text("number", longest=40),
            customer_id=sent.number("customer_id"),
            unit_id=sent.number("unit_id"),
            service_type_code=sent.text("service_type_code"),
            product_code=sent.text("product_code", longest=40),
            agent_id=session.get_one(User, identity.user_id).agent_id,
            wrap_up_code=sent.text("wrap_up_code", longest=80),
        ),
        actor=actor,
        origin=origin,
    )
    if received.is_new:
        contacts.add_text(session, received.contact, sent.text("text") or "", subject=None, author=actor.username)
    return received.contact


def _ticket(session: Session, identity: Identity, sent: Fields, contact: Contact, key: str, now: datetime) -> Ticket:
    text = sent.text("text") or ""
    customer = session.get(Customer, contact.customer_id) if contact.customer_id else None
    values = {
        "contact_id": contact.id,
        "customer_id": contact.customer_id,
        "channel_code": contact.channel_code,
        "service_type_code": sent.text("service_type_code"),
        "complaint_type_code": sent.text("complaint_type_code", longest=80),
        "product_code": sent.text("product_code", longest=40),
        "unit_id": sent.number("unit_id"),
        "township_id": customer.township_id if customer else None,
        "priority": sent.text("priority", longest=8) or "normal",
        "title": sent.text("title", longest=300) or text.splitlines()[0][:_TITLE],
        "description": text,
    }
    given = {name: value for name, value in values.items() if value is not None}
    template = sent.text("template_code", longest=60)
    return tickets.create(
        session, actor=identity.actor, values=given, template_code=template, idempotency_key=f"desk-{key}", now=now
    )
