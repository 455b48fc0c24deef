"""Bodies of what hangs on a ticket: comments, checklist, links, counties' parts, calls, actions on many."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from crm_api.tickets.schemas import Audience, CallOutcome, LinkKind, Priority, RowNumber, Text, TicketOut
from crm_api.web.schemas import Code, In, Line, Name, Out

BulkStep = Literal["edit", "dispatch", "cancel", "begin_review", "approve", "resolve", "accept", "start"]


class CommentIn(In):
    """A remark; one for the customer is the first response to a contact that came in writing."""

    body: Text = Field(examples=["已电话联系客户，约明早上门"])
    audience: Audience = "internal"


class CommentOut(Out):
    """A remark on a ticket."""

    id: int
    audience: Audience
    body: str
    author: str
    unit_id: int
    created_at: datetime


class TickIn(In):
    """Whether an item of the checklist is done."""

    done: bool


class ChecklistItemOut(Out):
    """One thing to do; a required one holds the resolution back."""

    code: str
    text_zh: str
    text_en: str
    is_required: bool
    done_by: str | None
    done_at: datetime | None


class TemplateOut(Out):
    """A prefilled ticket with its checklist."""

    code: str
    name_zh: str
    name_en: str
    service_type_code: str
    values: dict[str, Any]
    checklist: list[dict[str, Any]]


class ParentIn(In):
    """The ticket that this one is a child of."""

    parent_id: RowNumber | None = Field(description="NULL: of none any more", examples=[1])


class LinkIn(In):
    """Another ticket that has to do with this one."""

    other_id: RowNumber
    kind: LinkKind = "related"


class LinkOut(Out):
    """A link from one ticket to another."""

    id: int
    ticket_id: int
    other_id: int
    kind: LinkKind
    created_by: str
    created_at: datetime


class AssignmentIn(In):
    """The county that a branch sends its ticket on to."""

    unit_id: RowNumber
    reason: Line | None = None


class AssignmentReturnIn(In):
    """A county's part goes back to its branch."""

    unit_id: RowNumber = Field(description="The county")
    reason: Line = Field(description="What was done", examples=["已更换分配器，信号恢复"])


class AssignmentOut(Out):
    """A county's part of a ticket."""

    id: int
    ticket_id: int
    unit_id: int
    sent_by: str
    sent_at: datetime
    returned_by: str | None
    returned_at: datetime | None


class CallIn(In):
    """How a follow-up call went."""

    outcome: CallOutcome
    score: Annotated[int, Field(ge=1, le=5)] | None = Field(default=None, description="1 bad … 5 good")
    note: Line | None = None


class CallOut(Out):
    """An attempt to ask the customer."""

    id: int
    ticket_id: int
    attempt_number: int
    called_at: datetime
    caller: str
    outcome: CallOutcome
    score: int | None
    note: str | None


class ClaimOut(Out):
    """The customer to call next, kept from others for a quarter of an hour; NULL: nobody waits."""

    ticket: TicketOut | None


class BulkParametersIn(In):
    """What the action sets: a step's reason and fields, or the fields of an edit."""

    reason: Line | None = None
    unit_id: RowNumber | None = None
    resolution: Text | None = None
    complaint_type_code: Code | None = None
    product_code: Code | None = None
    priority: Priority | None = None
    title: Line | None = None
    handler: Name | None = None


class BulkIn(In):
    """One action on up to 500 tickets, each named once."""

    action: BulkStep = Field(examples=["dispatch"])
    ticket_ids: list[RowNumber] = Field(min_length=1, max_length=500, examples=[[1, 2]])
    parameters: BulkParametersIn = Field(default_factory=BulkParametersIn, examples=[{"unit_id": 2}])


class OutlookOut(Out):
    """What the action would do, or did, to one ticket; refusal says why nothing."""

    ticket_id: int
    code: str
    from_state: str
    to_state: str
    refusal: str | None


class BulkOut(Out):
    """A bulk action and what it did to each ticket."""

    id: int
    action: str
    status: Literal["proposed", "done", "undone"]
    created_by: str
    created_at: datetime
    done_at: datetime | None
    undone_at: datetime | None
    tickets: list[OutlookOut]


class ProposalOut(Out):
    """An action that waits for the province to look at it, e.g. the review of an outage's children."""

    id: int
    action: str
    parent_id: int | None
    created_by: str
    created_at: datetime
    ticket_ids: list[int]


class ContinuationIn(In):
    """What the ticket that goes on from an ended one is about; a title left out is the old one's."""

    title: Line | None = None
    description: Text | None = None
