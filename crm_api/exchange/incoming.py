"""What other systems send: short messages, acknowledged work orders, rows of customers and accounts."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.i18n import Language, texts
from core.settings import get_settings
from core.time import to_local, utc_now
from crm_api.audit.service import record
from crm_api.contacts import service as contacts
from crm_api.customers.models import KEY_LEVELS, Account, Customer, CustomerAddress, CustomerPhone
from crm_api.customers.numbers import candidates
from crm_api.customers.search_keys import refresh
from crm_api.errors import InvalidError
from crm_api.exchange.models import ExchangeMessage
from crm_api.identity.schemas import Instant
from crm_api.organisation.models import OrgUnit
from crm_api.sla.upkeep import system_actor
from crm_api.tickets.comments import comment
from crm_api.web.schemas import In

Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
MOST_ROWS = 1_000


class SmsIn(In):
    """A short message that a customer sent."""

    id: Id
    sender: Annotated[str, StringConstraints(min_length=3, max_length=40)] = Field(alias="from")
    text: Words
    at: Instant


class AcknowledgementIn(In):
    """The office system took a work order over."""

    id: Id
    order: Id
    by: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    at: Instant
    note: Annotated[str, StringConstraints(max_length=500)] = ""


class AccountRow(In):
    """A billing account; money in fen."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    balance_fen: Annotated[int, Field(ge=-(10**15), le=10**15)] = 0
    status: Literal["active", "suspended", "closed"] = "active"
    opened_at: Instant
    closed_at: Instant | None = None


class CustomerRow(In):
    """A customer as the foreign database knows them; fields left out stay as they are."""

    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    kind: Literal["person", "organisation"] = "person"
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    unit: Annotated[str, StringConstraints(max_length=60)] | None = None
    key_level: str | None = None
    registered_at: Instant | None = None
    phones: list[Annotated[str, StringConstraints(max_length=40)]] = Field(default=[], max_length=10)
    address: Annotated[str, StringConstraints(min_length=1, max_length=300)] | None = None
    accounts: list[AccountRow] = Field(default=[], max_length=20)


class CustomersIn(In):
    """Rows of a foreign database."""

    id: Id
    customers: Annotated[list[CustomerRow], Field(min_length=1, max_length=MOST_ROWS)]


def take_in(session: Session, port: str, document: dict[str, Any], row: ExchangeMessage) -> None:
    """Do what a message asks for; `row` is its place in the store.

    Raises:
        InvalidError: the message is malformed, or names what does not exist.
    """
    try:
        _TAKERS[port](session, document, row)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidError(f"{place}: {first['msg']}.", "Send it again with another id.") from error


def _take_sms(session: Session, document: dict[str, Any], row: ExchangeMessage) -> None:
    sent = SmsIn.model_validate(document)
    payload = contacts.ContactPayload(
        started_at=sent.at, ended_at=sent.at, remote_address=sent.sender, text=sent.text, outcome="other"
    )
    received = contacts.receive(
        session, channel="sms", external_id=sent.id, payload=payload, actor=system_actor(session)
    )
    row.contact_id = received.contact.id


def _take_acknowledgement(session: Session, document: dict[str, Any], row: ExchangeMessage) -> None:
    told = AcknowledgementIn.model_validate(document)
    order = session.scalars(
        select(ExchangeMessage).where(
            ExchangeMessage.port == "office",
            ExchangeMessage.direction == "out",
            ExchangeMessage.external_id == told.order,
        )
    ).one_or_none()
    if order is None or order.ticket_id is None:
        raise InvalidError(f"order is {told.order!r}, which was never handed over.", "Name the order's id.")
    language: Language = "en" if get_settings().language == "en" else "zh-CN"
    said = texts("crm_api.exchange", language)(
        "office.acknowledged", by=told.by, at=f"{to_local(told.at):%Y-%m-%d %H:%M}", note=told.note
    )
    comment(session, actor=system_actor(session), ticket_id=order.ticket_id, body=said.strip())
    row.ticket_id = order.ticket_id


def _take_customers(session: Session, document: dict[str, Any], _row: ExchangeMessage) -> None:
    sent = CustomersIn.model_validate(document)
    units = {row.code: row.id for row in session.execute(select(OrgUnit.code, OrgUnit.id))}
    actor = system_actor(session)
    touched = [_customer(session, each, units) for each in sent.customers]
    session.flush()
    refresh(session, touched)
    _tell(session, actor, sent, len(touched))


def _tell(session: Session, actor: Actor, sent: CustomersIn, count: int) -> None:
    record(session, "customer.exchanged", actor=actor, subject=("exchange", sent.id), customers=count)


def _customer(session: Session, sent: CustomerRow, units: dict[str, int]) -> int:
    """Add or change one customer; their id."""
    if sent.unit is not None and sent.unit not in units:
        raise InvalidError(f"{sent.code}: there is no unit {sent.unit!r}.", "Take a code of /api/v1/units.")
    if sent.key_level is not None and sent.key_level not in KEY_LEVELS:
        raise InvalidError(f"{sent.code}: key_level is {sent.key_level!r}.", f"One of: {', '.join(KEY_LEVELS)}.")
    found = session.scalars(select(Customer).where(Customer.code == sent.code)).one_or_none()
    if found is not None and found.deleted_at is not None:
        raise InvalidError(f"{sent.code}: this customer was merged or erased.", "Send the surviving customer's code.")
    if found is None:
        found = Customer(code=sent.code, kind=sent.kind, registered_at=sent.registered_at or utc_now())
        session.add(found)
    found.kind = sent.kind
    found.name = sent.name or found.name
    found.unit_id = units[sent.unit] if sent.unit is not None else found.unit_id
    found.key_level = sent.key_level or found.key_level
    session.flush()
    for number in sent.phones:
        _phone(session, found.id, sent.code, number)
    if sent.address is not None:
        _address(session, found.id, sent.address)
    for account in sent.accounts:
        _account(session, found.id, sent.code, account)
    return found.id


def _phone(session: Session, customer_id: int, code: str, written: str) -> None:
    meant = candidates(written, [])
    if not meant:
        raise InvalidError(f"{code}: {written!r} is no telephone number.", "Write it with its area code.")
    own = select(CustomerPhone).where(CustomerPhone.customer_id == customer_id)
    known = session.scalars(own).all()
    same = next((row for row in known if row.e164 == meant[0]), None)
    if same is not None:
        same.deleted_at = None
        return
    kind = "mobile" if meant[0].startswith("+861") else "landline"
    first = not any(row.is_primary and row.deleted_at is None for row in known)
    session.add(CustomerPhone(customer_id=customer_id, e164=meant[0], kind=kind, is_primary=first))
    session.flush()


def _address(session: Session, customer_id: int, detail: str) -> None:
    own = select(CustomerAddress).where(CustomerAddress.customer_id == customer_id, CustomerAddress.is_primary)
    row = session.scalars(own.where(CustomerAddress.deleted_at.is_(None))).first()
    if row is None:
        row = CustomerAddress(customer_id=customer_id, is_primary=True)
        session.add(row)
    row.detail = detail


def _account(session: Session, customer_id: int, code: str, sent: AccountRow) -> None:
    row = session.scalars(select(Account).where(Account.number == sent.number)).one_or_none()
    if row is not None and row.customer_id != customer_id:
        raise InvalidError(f"{code}: account {sent.number} is another customer's.", "Move it in the billing system.")
    if row is None:
        row = Account(customer_id=customer_id, number=sent.number)
        session.add(row)
    row.balance_fen, row.status = sent.balance_fen, sent.status
    row.opened_at, row.closed_at = sent.opened_at, sent.closed_at


_TAKERS: dict[str, Callable[[Session, dict[str, Any], ExchangeMessage], None]] = {
    "sms": _take_sms,
    "office": _take_acknowledgement,
    "foreign": _take_customers,
}
