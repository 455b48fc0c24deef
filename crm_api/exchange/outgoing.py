"""What other systems are handed, queued with the change itself: SMS to customers, work orders to the office system."""

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.i18n import Language, texts
from core.settings import get_settings
from core.time import utc_now
from crm_api.contacts.models import Contact
from crm_api.customers.models import Consent, Customer, CustomerPhone
from crm_api.customers.numbers import candidates
from crm_api.dialect import insert_if_absent
from crm_api.exchange.models import ExchangeMessage
from crm_api.exchange.ports import ExchangeSettings
from crm_api.organisation.models import OrgUnit
from crm_api.tickets.models import Ticket

_SMS_LENGTH = 500


def sms(session: Session, *, ticket: Ticket, message_id: str, key: str, **values: object) -> bool:
    """Queue a short message to the ticket's customer; whether one goes out.

    None goes out where the port is not in use, nobody's mobile number is known, or the customer said no to it.
    """
    if "sms" not in ExchangeSettings().ports:
        return False
    number = _number(session, ticket)
    if number is None or _declined(session, ticket.customer_id):
        return False
    language: Language = "en" if get_settings().language == "en" else "zh-CN"
    told = texts("crm_api.exchange", language)(f"sms.{key}", code=ticket.code, **values)
    return _queue(session, "sms", message_id, ticket, {"to": number, "text": told[:_SMS_LENGTH]})


def hand_over(session: Session, *, ticket: Ticket, event_number: int, reason: str | None) -> bool:
    """Queue the work order of a dispatched ticket for the office system of its branch; whether it goes out."""
    if "office" not in ExchangeSettings().ports:
        return False
    unit = session.get(OrgUnit, ticket.unit_id) if ticket.unit_id else None
    order = f"{ticket.code}-{event_number}"
    due = ticket.resolution_due_at
    document = {
        "kind": "work-order",
        "ticket": ticket.code,
        "unit": unit.code if unit else None,
        "service_type": ticket.service_type_code,
        "complaint_type": ticket.complaint_type_code,
        "product": ticket.product_code,
        "priority": ticket.priority,
        "title": ticket.title,
        "description": ticket.description,
        "note": reason,
        "created_at": ticket.created_at.isoformat(),
        "due_at": due.isoformat() if due else None,
    }
    return _queue(session, "office", order, ticket, document)


def _queue(session: Session, port: str, message_id: str, ticket: Ticket, body: dict[str, Any]) -> bool:
    values = {
        "port": port,
        "direction": "out",
        "external_id": message_id,
        "ticket_id": ticket.id,
        "body": body,
        "state": "waiting",
        "created_at": utc_now(),
    }
    return insert_if_absent(session, ExchangeMessage, values)


def _number(session: Session, ticket: Ticket) -> str | None:
    """The mobile number to write to: the one the customer wrote or called from, else their own."""
    contact = session.get(Contact, ticket.contact_id) if ticket.contact_id else None
    if contact is not None and contact.remote_address and "@" not in contact.remote_address:
        for number in candidates(contact.remote_address, []):
            if number.startswith("+861"):
                return number
    if ticket.customer_id is None:
        return None
    customer = session.get(Customer, ticket.customer_id)
    if customer is None or customer.deleted_at is not None:
        return None
    mobile = (
        select(CustomerPhone.e164)
        .where(
            CustomerPhone.customer_id == ticket.customer_id,
            CustomerPhone.kind == "mobile",
            CustomerPhone.deleted_at.is_(None),
            CustomerPhone.do_not_call.is_(False),
        )
        .order_by(CustomerPhone.is_primary.desc(), CustomerPhone.id)
    )
    return session.scalar(mobile.limit(1))


def _declined(session: Session, customer_id: int | None) -> bool:
    """Whether the customer's last word on service messages by SMS is no."""
    last = (
        select(Consent.granted)
        .where(
            Consent.customer_id == customer_id,
            Consent.channel == "sms",
            Consent.purpose == "service",
            Consent.deleted_at.is_(None),
            Consent.valid_from <= date.today(),  # noqa: DTZ011 - consents are days of the calendar on the wall
        )
        .order_by(Consent.valid_from.desc(), Consent.id.desc())
    )
    return session.scalar(last.limit(1)) is False
