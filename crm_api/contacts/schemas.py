"""Bodies of the contact routes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from crm_api.contacts.models import Contact
from crm_api.contacts.text_models import ContactText
from crm_api.customers.masking import mask_email, mask_number
from crm_api.customers.numbers import clean, looks_like_number
from crm_api.customers.schemas import MatchOut
from crm_api.identity.schemas import Instant
from crm_api.web.schemas import Code, In, Line, Out

ChannelCode = Code
Outcome = Literal["answered", "abandoned", "ended_in_ivr", "blocked", "other", "unknown"]
RowNumber = Annotated[int, Field(ge=1, le=2**63 - 1)]
Body = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]


class ContactIn(In):
    """A contact as a channel reports it; repeating (channel, external_id) changes nothing."""

    channel: ChannelCode = Field(examples=["web_form"])
    external_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)] = Field(
        examples=["form-2026-000123"]
    )
    started_at: Instant = Field(examples=["2026-03-02T09:00:00+08:00"])
    ended_at: Instant | None = None
    direction: Literal["in", "out"] = "in"
    outcome: Outcome | None = Field(default=None, description="NULL: other for written channels, else answered")
    block_reason: Literal["full", "join_empty", "closed"] | None = None
    remote_address: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="Number in any spelling, or e-mail address", examples=["0917-326 0000"]
    )
    customer_id: RowNumber | None = None
    unit_id: RowNumber | None = None
    township_id: RowNumber | None = None
    service_type_code: Code | None = Field(default=None, examples=["consultation"])
    product_code: Code | None = Field(default=None, examples=["digital_tv"])
    subject: Line | None = None
    text: Body | None = Field(default=None, description="What the customer wrote", examples=["机顶盒无信号"])
    wrap_up_code: Code | None = Field(default=None, examples=["solved.explained"])


class ContactChangeIn(In):
    """What was learnt of a contact; fields left out stay."""

    customer_id: RowNumber | None = None
    service_type_code: Code | None = Field(default=None, examples=["complaint"])
    product_code: Code | None = None
    ended_at: Instant | None = None
    outcome: Outcome | None = None
    wrap_up_code: Code | None = Field(default=None, description="Of the second level", examples=["solved.guided"])
    text: Body | None = Field(default=None, description="A note of the caller's, added to the others")


class TextOut(Out):
    """A message or a note; author NULL: the customer wrote it."""

    id: int
    subject: str | None
    body: str
    author: str | None
    created_at: datetime


class ContactOut(Out):
    """A contact."""

    id: int
    channel_code: str
    external_id: str
    direction: Literal["in", "out"]
    customer_id: int | None
    unit_id: int | None
    township_id: int | None
    service_type_code: str | None
    product_code: str | None
    agent_id: int | None
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    remote_address: str | None = Field(description="Masked", examples=["138****4567"])
    source: str


class ContactDetails(Out):
    """A contact with its texts."""

    contact: ContactOut
    texts: list[TextOut]
    wrap_up_code: str | None = None
    is_wrap_up_required: bool = Field(default=False, description="The queue in which it waited asks for a code")


class ContactReceived(Out):
    """The contact; `candidates` where its address means several customers (none is chosen)."""

    contact: ContactOut
    is_new: bool = Field(description="False: it was reported before, nothing changed")
    candidates: list[MatchOut]


def _masked(address: str | None) -> str | None:
    if address is None:
        return None
    if "@" in address:
        return mask_email(address)
    return mask_number(clean(address)) if looks_like_number(address) else "*" * min(len(address), 12)


def contact_out(contact: Contact) -> ContactOut:
    """The body for `contact`, its address masked."""
    plain = {name: getattr(contact, name) for name in ContactOut.model_fields if name != "remote_address"}
    return ContactOut(**plain, remote_address=_masked(contact.remote_address))


def text_out(text: ContactText) -> TextOut:
    """The body for `text`."""
    return TextOut.model_validate(text)
