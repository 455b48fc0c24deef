"""Bodies of the ticket routes."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from crm_api.identity.schemas import Instant
from crm_api.sla.clocks import Reading
from crm_api.tickets.loop_models import TicketEventDetail
from crm_api.tickets.models import TicketEvent
from crm_api.tickets.service import TicketView
from crm_api.tickets.transitions import Option
from crm_api.web.schemas import Code, In, Line, Name, Out

TicketState = Literal[
    "new",
    "dispatched",
    "accepted",
    "in_progress",
    "pending",
    "returned",
    "resolved",
    "in_review",
    "follow_up",
    "closed",
    "cancelled",
]
TicketKind = Literal["standard", "outage"]
Priority = Literal["low", "normal", "high", "urgent"]
PendingReason = Literal["customer", "part", "weather", "third_party", "other"]
Audience = Literal["internal", "customer"]
LinkKind = Literal["related", "duplicate", "caused_by"]
CallOutcome = Literal["satisfied", "dissatisfied", "no_answer", "refused", "wrong_number"]
ClockName = Literal["first_response", "resolution"]
RowNumber = Annotated[int, Field(ge=1, le=2**63 - 1)]
Version = Annotated[int, Field(ge=0, le=2**31 - 1, description="Number of the last event that you saw", examples=[3])]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]


class PauseIn(In):
    """Why a ticket is put on hold, and until when."""

    reason: PendingReason
    until: Instant = Field(examples=["2036-03-05T09:00:00+08:00"])


class TicketIn(In):
    """A new ticket; a template fills what is left open and brings its checklist."""

    channel_code: Code = Field(examples=["voice"])
    service_type_code: Code | None = Field(default=None, description="Or the template's", examples=["complaint"])
    template_code: Code | None = None
    kind: TicketKind = "standard"
    contact_id: RowNumber | None = None
    customer_id: RowNumber | None = None
    complaint_type_code: Code | None = None
    product_code: Code | None = Field(default=None, examples=["digital_tv"])
    unit_id: RowNumber | None = Field(default=None, description="The branch it is about; dispatching is a step")
    township_id: RowNumber | None = None
    priority: Priority | None = Field(default=None, description="NULL: the template's, else normal")
    title: Line | None = Field(default=None, examples=["机顶盒无信号"])
    description: Text | None = None
    is_on_behalf: bool = Field(default=False, description="Filed by somebody for the customer")
    pending: PauseIn | None = Field(default=None, description="A ticket that is born on hold")


class TicketChangeIn(In):
    """What to change; fields left out stay. Only fields that others changed since your version are refused."""

    contact_id: RowNumber | None = None
    customer_id: RowNumber | None = None
    service_type_code: Code = Field(default="", examples=["complaint"])
    complaint_type_code: Code | None = None
    product_code: Code | None = None
    unit_id: RowNumber | None = None
    township_id: RowNumber | None = None
    priority: Priority = Field(default="normal", examples=["high"])
    title: Line | None = None
    description: Text | None = None
    handler: Name | None = Field(default=None, description="User name of who works it", examples=["baoji_handler"])


class StepFieldsIn(In):
    """What a step carries besides its reason; which are needed says the process."""

    unit_id: RowNumber | None = Field(default=None, description="The city branch that it is dispatched to")
    resolution: Text | None = Field(default=None, description="What was done", examples=["更换机顶盒，恢复正常"])
    pending_reason: PendingReason | None = None
    pending_until: Instant | None = None
    complaint_type_code: Code | None = None


class TransitionIn(In):
    """A step of the process, by its code."""

    step: Code = Field(examples=["resolve"])
    reason: Line | None = None
    fields: StepFieldsIn = Field(
        default_factory=StepFieldsIn, examples=[{"resolution": "更换机顶盒，恢复正常"}], description="As it requires"
    )
    version: Version | None = Field(default=None, description="Instead of If-Match: the version that you saw")


class TicketOut(Out):
    """A ticket."""

    id: int
    code: str = Field(examples=["W260302-17"])
    kind: TicketKind
    state: TicketState
    priority: Priority
    title: str | None
    description: str | None
    channel_code: str
    service_type_code: str
    complaint_type_code: str | None
    product_code: str | None
    contact_id: int | None
    customer_id: int | None
    parent_id: int | None
    unit_id: int | None
    township_id: int | None
    is_on_behalf: bool
    created_at: datetime
    first_response_at: datetime | None
    first_response_due_at: datetime | None
    resolved_at: datetime | None
    resolution_due_at: datetime | None
    closed_at: datetime | None
    source: str = Field(description="captured here, or the system that it was imported from")


class WorkOut(Out):
    """The running work of a ticket."""

    handler: str | None
    state_since: datetime
    resolution: str | None
    pending_reason: str | None
    pending_until: datetime | None


class ClockOut(Out):
    """A clock as it stands; seconds are business seconds."""

    clock: ClockName
    standing: Literal["running", "paused", "met", "missed", "void"]
    policy: str
    calendar: str
    target_seconds: int
    elapsed_seconds: float
    started_at: datetime
    due_at: datetime
    ended_at: datetime | None


class StepOut(Out):
    """A step that the caller may take from here."""

    step: str = Field(examples=["dispatch"])
    to_state: str
    name_zh: str
    name_en: str
    requires: list[str] = Field(description="What must be filled in")
    blocked_by: list[str] = Field(description="What still stands in the way", examples=[["follow_up_done"]])


class TicketDetails(Out):
    """A ticket with its work, clocks, and what the caller may do; imported history has neither work nor steps."""

    ticket: TicketOut
    version: int = Field(description="The number of its last event: what If-Match names")
    work: WorkOut | None
    clocks: list[ClockOut]
    steps: list[StepOut]


class EventOut(Out):
    """One step of a ticket's history: who, from which unit, when, why, what changed, and the clocks then."""

    event_number: int
    kind: str
    action: str | None = Field(description="The step's code, or e.g. edit, attach, undo")
    from_state: str | None
    to_state: str
    occurred_at: datetime
    actor: str | None
    actor_role: str
    unit_id: int | None
    reason: str | None
    changes: dict[str, list[Any]] = Field(description="Field: [old, new]")
    clocks: dict[str, Any] = Field(description="Clock: policy, target, elapsed, due, standing")


class StepTaken(Out):
    """What a step or an edit made of the ticket."""

    ticket: TicketOut
    version: int


class StretchOut(Out):
    """From start until end the clock ran or stood still, and why."""

    start: datetime
    end: datetime
    counted: bool
    seconds: float
    reason_zh: str
    reason_en: str


class ExplanationOut(Out):
    """Why a deadline is what it is."""

    clock: ClockOut
    counted_seconds: float = Field(description="The sum of the stretches that counted")
    stretches: list[StretchOut]


def clock_out(reading: Reading) -> ClockOut:
    """The body for a clock's reading."""
    return ClockOut(
        clock=reading.clock,
        standing=reading.standing,
        policy=reading.terms.policy_code,
        calendar=reading.terms.calendar_code,
        target_seconds=reading.terms.target_seconds,
        elapsed_seconds=reading.elapsed.total_seconds(),
        started_at=reading.started_at,
        due_at=reading.due_at,
        ended_at=reading.ended_at,
    )


def step_out(option: Option) -> StepOut:
    """The body for a step that is open."""
    step = option.transition
    return StepOut(
        step=step.code,
        to_state=step.target,
        name_zh=step.name_zh,
        name_en=step.name_en,
        requires=list(step.requires),
        blocked_by=list(option.blocked_by),
    )


def details_out(view: TicketView) -> TicketDetails:
    """The body for a ticket as somebody sees it."""
    readings = view.clocks.readings.values() if view.clocks else ()
    return TicketDetails(
        ticket=TicketOut.model_validate(view.ticket),
        version=view.version,
        work=WorkOut.model_validate(view.work) if view.work else None,
        clocks=[clock_out(reading) for reading in readings],
        steps=[step_out(option) for option in view.options],
    )


def event_out(event: TicketEvent, detail: TicketEventDetail | None) -> EventOut:
    """The body for a step of the history; imported steps have no details."""
    plain = {name: getattr(event, name) for name in EventOut.model_fields if hasattr(event, name)}
    return EventOut(
        **plain,
        action=detail.action if detail else None,
        changes=detail.changes if detail else {},
        clocks=detail.clocks if detail else {},
    )
