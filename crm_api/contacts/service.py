"""The one door of every channel: a contact is received once, whoever reports it how often."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.base import Base
from crm_api.contacts import wrap_up
from crm_api.contacts.models import Channel, Contact, ServiceType
from crm_api.contacts.text_models import ContactText
from crm_api.customers.models import Customer, Product
from crm_api.customers.search import Match, by_email, by_number
from crm_api.dialect import begin_writing, insert_if_absent
from crm_api.errors import ConflictError, InvalidError, NotFoundError
from crm_api.identity.scope import scoped
from crm_api.organisation.models import OrgUnit, Township
from crm_api.webhooks.service import publish


@dataclass(frozen=True)
class ContactPayload:
    """What a channel reports of a contact; everything but the start may be unknown.

    `remote_address` is the number or e-mail address at the other end, in any spelling; instants are aware.
    """

    started_at: datetime
    ended_at: datetime | None = None
    direction: str = "in"
    outcome: str | None = None
    block_reason: str | None = None
    remote_address: str | None = None
    customer_id: int | None = None
    unit_id: int | None = None
    township_id: int | None = None
    service_type_code: str | None = None
    product_code: str | None = None
    agent_id: int | None = None
    subject: str | None = None
    text: str | None = None
    wrap_up_code: str | None = None


@dataclass(frozen=True)
class Received:
    """The contact, whether it is new, and the customers its address may mean (when none or several)."""

    contact: Contact
    is_new: bool
    candidates: list[Match] = field(default_factory=list)


def receive(
    session: Session,
    *,
    channel: str,
    external_id: str,
    payload: ContactPayload,
    actor: Actor,
    origin: Origin | None = None,
) -> Received:
    """Take in one contact, idempotent on (channel, external id): a repetition changes nothing, returns what is there.

    The customer is the one named, else the only one whose number or e-mail matches; several are offered, none chosen.

    Raises:
        InvalidError: an unknown channel, service type, product, customer or unit, or a unit beyond the actor's scope.
        ConflictError: the key belongs to a contact that the actor may not see.
    """
    known = _find(session, channel, external_id)
    if known is not None:
        return Received(_visible(session, known, actor), is_new=False)
    medium = _require(session, Channel, channel, "channel")
    _check_codes(session, payload)
    customer, candidates = _customer(session, payload, actor)
    values = _values(payload, medium)
    values |= {"customer_id": customer.id if customer else None, "unit_id": _unit(session, payload, customer, actor)}
    if not insert_if_absent(session, Contact, {"channel_code": channel, "external_id": external_id, **values}):
        return Received(_visible(session, _find(session, channel, external_id), actor), is_new=False)
    contact = _visible(session, _find(session, channel, external_id), actor)
    if payload.wrap_up_code is not None:
        wrap_up.choose(session, actor=actor, contact=contact, code=payload.wrap_up_code)
    if payload.text:
        add_text(session, contact, payload.text, subject=payload.subject, author=None)
    record(session, "contact.received", actor=actor, subject=("contact", contact.id), origin=origin, channel=channel)
    publish(session, "contact.received", {"contact_id": contact.id, "channel": channel})
    return Received(contact, is_new=True, candidates=candidates)


def get_contact(session: Session, contact_id: int, actor: Actor, *, to_change: bool = False) -> Contact:
    """One contact within the actor's scope; NotFoundError otherwise."""
    statement = scoped(select(Contact).where(Contact.id == contact_id), actor)
    if to_change:
        begin_writing(session)
        statement = statement.with_for_update()
    contact = session.scalars(statement).one_or_none()
    if contact is None:
        raise NotFoundError(f"There is no contact {contact_id}.")
    return contact


def change_contact(
    session: Session, contact: Contact, changes: dict[str, Any], *, actor: Actor, origin: Origin | None
) -> None:
    """Say whose contact it is, what it is about, what came of it and when it ended; `text` adds a note of the actor's.

    Raises:
        MissingFieldsError: a service type is given, no wrap-up code ever was, and the contact's queue asks for one.
        InvalidError: an unknown code, a customer beyond the actor's scope, or an end before the start.
    """
    for model, name in ((ServiceType, "service_type_code"), (Product, "product_code")):
        if changes.get(name) is not None:
            _require(session, model, changes[name], name)
    if changes.get("customer_id") is not None:
        customer = _named_customer(session, changes["customer_id"], actor)
        contact.unit_id = contact.unit_id or customer.unit_id
    ended = changes.get("ended_at")
    if ended is not None and ended < contact.started_at:
        raise InvalidError(f"ended_at {ended.isoformat()} is before the contact's start.", "Give a later instant.")
    if "wrap_up_code" in changes or changes.get("service_type_code") is not None:
        wrap_up.choose(session, actor=actor, contact=contact, code=changes.get("wrap_up_code"))
    if changes.get("text"):
        add_text(session, contact, changes["text"], subject=None, author=actor.username)
    for name in ("customer_id", "service_type_code", "product_code", "ended_at", "outcome"):
        if name in changes and not (name == "outcome" and changes[name] is None):
            setattr(contact, name, changes[name])
    session.flush()
    session.refresh(contact)
    fields = sorted(changes)
    record(session, "contact.changed", actor=actor, subject=("contact", contact.id), origin=origin, fields=fields)
    publish(session, "contact.changed", {"contact_id": contact.id, "fields": fields})


def add_text(session: Session, contact: Contact, body: str, *, subject: str | None, author: str | None) -> ContactText:
    """Keep a message or a note with the contact; `author` None: the customer wrote it."""
    row = ContactText(contact_id=contact.id, subject=subject, body=body, author=author, created_at=utc_now())
    session.add(row)
    session.flush()
    return row


def texts(session: Session, contact: Contact) -> list[ContactText]:
    """Messages and notes of a contact, oldest first."""
    return list(
        session.scalars(select(ContactText).where(ContactText.contact_id == contact.id).order_by(ContactText.id))
    )


def _find(session: Session, channel: str, external_id: str) -> Contact | None:
    return session.scalars(
        select(Contact).where(Contact.channel_code == channel, Contact.external_id == external_id)
    ).one_or_none()


def _visible(session: Session, contact: Contact | None, actor: Actor) -> Contact:
    mine = None
    if contact is not None:
        mine = session.scalars(scoped(select(Contact).where(Contact.id == contact.id), actor)).one_or_none()
    if mine is None:
        raise ConflictError("This external id is taken.", "Use ids that only your source gives out.")
    return mine


def _require(session: Session, model: type[Base], code: str, name: str) -> Any:
    row: Any = session.get(model, code)
    if row is None or row.deleted_at is not None:
        raise InvalidError(f"There is no {name} {code!r}.", "Take a code of the catalogue.")
    return row


def _check_codes(session: Session, payload: ContactPayload) -> None:
    if payload.service_type_code is not None:
        _require(session, ServiceType, payload.service_type_code, "service_type_code")
    if payload.product_code is not None:
        _require(session, Product, payload.product_code, "product_code")
    if payload.township_id is not None and session.get(Township, payload.township_id) is None:
        raise InvalidError(f"There is no township {payload.township_id}.")
    if payload.ended_at is not None and payload.ended_at < payload.started_at:
        raise InvalidError("The contact ends before it starts.", "Give ended_at after started_at.")


def _named_customer(session: Session, customer_id: int, actor: Actor) -> Customer:
    customer = session.scalars(scoped(select(Customer).where(Customer.id == customer_id), actor)).one_or_none()
    if customer is None:
        raise InvalidError(f"There is no customer {customer_id}.", "Search for them first.")
    return customer


def _customer(session: Session, payload: ContactPayload, actor: Actor) -> tuple[Customer | None, list[Match]]:
    if payload.customer_id is not None:
        return _named_customer(session, payload.customer_id, actor), []
    if not payload.remote_address:
        return None, []
    look = by_email if "@" in payload.remote_address else by_number
    matches = look(session, actor, payload.remote_address)
    if len(matches) == 1:
        return matches[0].customer, []
    return None, matches


def _unit(session: Session, payload: ContactPayload, customer: Customer | None, actor: Actor) -> int | None:
    if payload.unit_id is not None:
        if session.scalar(scoped(select(OrgUnit.id).where(OrgUnit.id == payload.unit_id), actor)) is None:
            raise InvalidError(f"There is no unit {payload.unit_id} in your scope.", "Take one of /api/v1/units.")
        return payload.unit_id
    if customer is not None:
        return customer.unit_id
    return None if actor.is_province else actor.unit_id


def _values(payload: ContactPayload, medium: Channel) -> dict[str, Any]:
    outcome = payload.outcome or ("other" if medium.is_written else "answered")
    if (outcome == "blocked") != (payload.block_reason is not None):
        raise InvalidError("block_reason goes with the outcome blocked, and only with it.", "Give both or neither.")
    return {
        "started_at": payload.started_at,
        "ended_at": payload.ended_at,
        "direction": payload.direction,
        "outcome": outcome,
        "block_reason": payload.block_reason,
        "remote_address": payload.remote_address,
        "township_id": payload.township_id,
        "service_type_code": payload.service_type_code,
        "product_code": payload.product_code,
        "agent_id": payload.agent_id,
    }
