"""Bodies of the customer routes; personal numbers are masked here, once."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from crm_api.customers.masking import mask_email, mask_identity, mask_number
from crm_api.customers.models import Customer, CustomerEmail, CustomerPhone
from crm_api.web.schemas import In, Line, Name, Out, Reason

KeyLevel = Literal["none", "silver", "gold", "platinum"]


class CustomerOut(Out):
    """A customer, with the identity number masked."""

    id: int
    code: str
    kind: Literal["person", "organisation"]
    key_level: KeyLevel
    status: Literal["active", "left", "deceased"]
    unit_id: int | None
    township_id: int | None
    name: str | None
    identity_number: str | None = Field(description="Masked; reveal it with a reason", examples=["610302********15"])
    birth_year: int | None
    registered_at: datetime
    left_at: datetime | None


def customer_out(customer: Customer) -> CustomerOut:
    """The body for `customer`."""
    body = CustomerOut.model_validate(customer)
    body.identity_number = mask_identity(customer.identity_number)
    return body


class MatchOut(Out):
    """A customer found, and by what."""

    customer: CustomerOut
    reason: Literal["phone", "account", "smart_card", "code", "email", "name", "initials", "pinyin", "address"]
    quality: int = Field(description="0 exact, 1 begins with, 2 contains")
    phones: list[str] = Field(description="Masked")


class PhoneOut(Out):
    """A number, masked."""

    id: int
    number: str = Field(examples=["138****4567"])
    kind: Literal["mobile", "landline", "fax"]
    is_primary: bool
    do_not_call: bool


def phone_out(phone: CustomerPhone) -> PhoneOut:
    """The body for `phone`."""
    plain = {name: getattr(phone, name) for name in ("id", "kind", "is_primary", "do_not_call")}
    return PhoneOut(**plain, number=mask_number(phone.e164))


class EmailOut(Out):
    """An e-mail address, masked."""

    id: int
    address: str = Field(examples=["w***@example.com"])
    is_primary: bool


def email_out(email: CustomerEmail) -> EmailOut:
    """The body for `email`."""
    return EmailOut(id=email.id, address=mask_email(email.address), is_primary=email.is_primary)


class AddressOut(Out):
    """Where a customer is served."""

    id: int
    township_id: int | None
    township_zh: str | None
    township_en: str | None
    detail: str | None
    is_primary: bool


class SubscriptionOut(Out):
    """A product that an account takes."""

    id: int
    account_id: int
    product_code: str
    product_zh: str
    product_en: str
    smart_card: str | None
    monthly_fee_fen: int
    points: int
    started_at: datetime
    ended_at: datetime | None


class AccountOut(Out):
    """A billing account; money in fen."""

    id: int
    number: str
    status: Literal["active", "suspended", "closed"]
    balance_fen: int
    opened_at: datetime
    closed_at: datetime | None
    subscriptions: list[SubscriptionOut]


class ConsentOut(Out):
    """A yes or no to one purpose over one channel."""

    id: int
    channel: str
    purpose: str
    granted: bool
    valid_from: date
    valid_to: date | None


class ContactSummary(Out):
    """A contact in the customer's history."""

    id: int
    channel_code: str
    direction: str
    service_type_code: str | None
    started_at: datetime
    ended_at: datetime | None
    outcome: str


class TicketSummary(Out):
    """A ticket in the customer's history, with its clocks' deadlines."""

    id: int
    code: str
    kind: str
    service_type_code: str
    complaint_type_code: str | None
    priority: str
    state: str
    title: str | None
    created_at: datetime
    first_response_at: datetime | None
    first_response_due_at: datetime | None
    resolved_at: datetime | None
    resolution_due_at: datetime | None
    closed_at: datetime | None


class SurveySummary(Out):
    """An answer to a satisfaction question; score 1 bad … 5 good, NULL: no answer."""

    id: int
    contact_id: int | None
    ticket_id: int | None
    asked_at: datetime
    score: int | None


class ManagerOut(Out):
    """The account manager of a key customer."""

    username: str
    display_name: str


class CustomerView(Out):
    """Everything about a customer on one page."""

    customer: CustomerOut
    branch_zh: str | None
    branch_en: str | None
    account_manager: ManagerOut | None
    phones: list[PhoneOut]
    emails: list[EmailOut]
    addresses: list[AddressOut]
    accounts: list[AccountOut]
    consents: list[ConsentOut]
    contacts: list[ContactSummary] = Field(description="The latest 20; all are at /api/v1/contacts")
    tickets: list[TicketSummary] = Field(description="Open ones first, then the latest, 20 in all")
    surveys: list[SurveySummary] = Field(description="The latest 20")


class CustomerChangeIn(In):
    """What to change; fields left out stay."""

    name: Name = Field(default="", examples=["王丽"])
    key_level: KeyLevel = "none"
    unit_id: int = Field(default=1, ge=1, le=2**63 - 1)
    township_id: int | None = Field(default=None, ge=1, le=2**63 - 1)
    account_manager: Name | None = Field(default=None, description="User name; NULL: none", examples=["supervisor"])


class RevealIn(In):
    """Which personal values to show, and why."""

    fields: list[Literal["phones", "identity_number", "emails"]] = Field(min_length=1, max_length=3)
    reason: Reason = Field(examples=["客户要求回电核实地址"])


class RevealOut(Out):
    """The values asked for, in clear; numbers and addresses by the id of their row."""

    identity_number: str | None = None
    phones: dict[int, str] = Field(default_factory=dict)
    emails: dict[int, str] = Field(default_factory=dict)


class MergeIn(In):
    """Merge `merged_id` into the customer of the path."""

    merged_id: int = Field(ge=1, le=2**63 - 1)
    reason: Line = Field(examples=["同一身份证号，重复建档"])


class MergeOut(Out):
    """A merge, and whether it was undone."""

    id: int
    survivor_id: int
    merged_id: int
    merged_at: datetime
    merged_by: str
    reason: str
    undone_at: datetime | None
    undone_by: str | None


class DuplicateOut(Out):
    """A customer who may be the same, and why one thinks so."""

    customer: CustomerOut
    reasons: list[Literal["identity_number", "phone_and_name", "address_and_name"]]
    score: float = Field(ge=0, le=1, description="1: the same identity number and name")
