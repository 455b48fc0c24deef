"""Trouble tickets as TM Forum TMF621 v5 describes them, mapped onto the loop's own services."""

# The standard writes its names in camelCase.
# ruff: noqa: N815

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import ConfigDict, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from crm_api.errors import InvalidError
from crm_api.tickets import service
from crm_api.tickets.access import visible
from crm_api.tickets.history import version_of
from crm_api.tickets.loop_models import TicketWork
from crm_api.tickets.models import Ticket, TicketEvent
from crm_api.tickets.process import Definition, Transition
from crm_api.tickets.process_service import active_version, definition_of
from crm_api.tickets.schemas import Text
from crm_api.tickets.transitions import was_dispatched
from crm_api.web.schemas import In, Line, Out

Status = Literal["acknowledged", "inProgress", "pending", "held", "resolved", "closed", "cancelled"]
Severity = Literal["Critical", "Major", "Minor", "Low"]

#: Our eleven states as the standard's; `held` is what came back to the province.
STATUS_OF: dict[str, Status] = {
    "new": "acknowledged",
    "dispatched": "acknowledged",
    "accepted": "inProgress",
    "in_progress": "inProgress",
    "pending": "pending",
    "returned": "held",
    "resolved": "resolved",
    "in_review": "resolved",
    "follow_up": "resolved",
    "closed": "closed",
    "cancelled": "cancelled",
}
PRIORITY_OF: dict[Severity, str] = {"Critical": "urgent", "Major": "high", "Minor": "normal", "Low": "low"}
SEVERITY_OF: dict[str, Severity] = {priority: severity for severity, priority in PRIORITY_OF.items()}
PATH = "/tmf-api/troubleTicket/v5/troubleTicket"
Reference = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class _Tmf(Out):
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class _TmfIn(In):
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True, extra="forbid")


class ChannelRef(_TmfIn):
    """The channel that the ticket came through."""

    id: Reference = Field(examples=["voice"])
    type: Literal["ChannelRef"] = Field(default="ChannelRef", alias="@type")


class PartyRef(_TmfIn):
    """Somebody the ticket is about; the customer is the only role that is kept."""

    id: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,17}$")] = Field(examples=["1"])
    type: Literal["PartyRef"] = Field(default="PartyRef", alias="@type")


class RelatedParty(_TmfIn):
    """A party and its role."""

    role: Literal["customer"] = "customer"
    partyOrPartyRole: PartyRef
    type: Literal["RelatedPartyRefOrPartyRoleRef"] = Field(default="RelatedPartyRefOrPartyRoleRef", alias="@type")


class TroubleTicketIn(_TmfIn):
    """A new trouble ticket."""

    type: Literal["TroubleTicket"] = Field(alias="@type")
    name: Line | None = Field(default=None, examples=["机顶盒无信号"])
    description: Text = Field(examples=["客户反映全部频道无图像"])
    severity: Severity = Field(examples=["Minor"])
    ticketType: Reference = Field(description="Service type code", examples=["complaint"])
    channel: ChannelRef | None = Field(default=None, description="The web form if not told")
    relatedParty: list[RelatedParty] = Field(default_factory=list, max_length=1)


class TroubleTicketChangeIn(_TmfIn):
    """What to change: the status (as a step of the loop), or severity, name, description."""

    type: Literal["TroubleTicket"] = Field(default="TroubleTicket", alias="@type")
    name: Line = Field(default="", examples=["机顶盒无信号"])
    description: Text = Field(default="", examples=["仅高清频道无图像"])
    severity: Severity = Field(default="Minor", examples=["Major"])
    status: Status = Field(default="acknowledged", examples=["cancelled"])
    statusChangeReason: Line | None = Field(default=None, description="Also the resolution of what becomes resolved")


class StatusChange(_Tmf):
    """A change of status."""

    status: Status
    changeDate: datetime
    changeReason: str | None
    type: str = Field(default="StatusChange", alias="@type")


class TicketRelationship(_Tmf):
    """Another ticket that this one has to do with."""

    id: str
    href: str
    relationshipType: str
    type: str = Field(default="TroubleTicketRelationship", alias="@type")


class TroubleTicket(_Tmf):
    """A ticket as the standard describes it."""

    id: str
    href: str
    name: str | None
    description: str | None
    severity: Severity
    priority: str = Field(description="Our own priority")
    ticketType: str
    status: Status
    statusChangeDate: datetime | None
    statusChangeReason: str | None
    statusChangeHistory: list[StatusChange]
    creationDate: datetime
    lastUpdate: datetime
    expectedResolutionDate: datetime | None
    resolutionDate: datetime | None
    channel: ChannelRef
    relatedParty: list[RelatedParty]
    troubleTicketRelationship: list[TicketRelationship]
    type: str = Field(default="TroubleTicket", alias="@type")


def trouble_tickets(session: Session, *, actor: Actor, tickets: Sequence[Ticket]) -> list[TroubleTicket]:
    """The standard's bodies for tickets that `actor` may see; a parent out of their sight is not named."""
    events: dict[int, list[TicketEvent]] = {ticket.id: [] for ticket in tickets}
    statement = select(TicketEvent).where(TicketEvent.ticket_id.in_(events)).order_by(TicketEvent.event_number)
    for event in session.scalars(statement):
        events[event.ticket_id].append(event)
    parents = {ticket.parent_id for ticket in tickets if ticket.parent_id}
    seen = set(session.scalars(select(Ticket.id).where(Ticket.id.in_(parents), visible(actor))))
    return [_trouble_ticket(ticket, events[ticket.id], sees_parent=ticket.parent_id in seen) for ticket in tickets]


def _trouble_ticket(ticket: Ticket, events: list[TicketEvent], *, sees_parent: bool) -> TroubleTicket:
    changes = _status_changes(events)
    parent = ticket.parent_id if sees_parent else None
    return TroubleTicket(
        id=str(ticket.id),
        href=f"{PATH}/{ticket.id}",
        name=ticket.title,
        description=ticket.description,
        severity=SEVERITY_OF[ticket.priority],
        priority=ticket.priority,
        ticketType=ticket.service_type_code,
        status=STATUS_OF[ticket.state],
        statusChangeDate=changes[-1].changeDate if changes else None,
        statusChangeReason=changes[-1].changeReason if changes else None,
        statusChangeHistory=changes,
        creationDate=ticket.created_at,
        lastUpdate=events[-1].occurred_at if events else ticket.created_at,
        expectedResolutionDate=ticket.resolution_due_at,
        resolutionDate=ticket.resolved_at,
        channel=ChannelRef(id=ticket.channel_code),
        relatedParty=[RelatedParty(partyOrPartyRole=PartyRef(id=str(ticket.customer_id)))]
        if ticket.customer_id
        else [],
        troubleTicketRelationship=[
            TicketRelationship(id=str(parent), href=f"{PATH}/{parent}", relationshipType="parent")
        ]
        if parent
        else [],
    )


def _status_changes(events: list[TicketEvent]) -> list[StatusChange]:
    found: list[StatusChange] = []
    for event in events:
        status = STATUS_OF[event.to_state]
        if not found or found[-1].status != status:
            found.append(StatusChange(status=status, changeDate=event.occurred_at, changeReason=event.reason))
    return found


def values_of(body: TroubleTicketIn) -> dict[str, Any]:
    """The fields of a new ticket."""
    values: dict[str, Any] = {
        "channel_code": body.channel.id if body.channel else "web_form",
        "service_type_code": body.ticketType,
        "priority": PRIORITY_OF[body.severity],
        "title": body.name,
        "description": body.description,
    }
    if body.relatedParty:
        values["customer_id"] = int(body.relatedParty[0].partyOrPartyRole.id)
    return {name: value for name, value in values.items() if value is not None}


def change(
    session: Session, *, actor: Actor, ticket: Ticket, body: TroubleTicketChangeIn, seen: int | None = None
) -> None:
    """Apply a PATCH: its fields first, then its status as the step that leads there.

    Raises:
        InvalidError: it asks for nothing.
        RefusedError: the step or the edit is refused, as on the loop's own routes.
    """
    given = body.model_dump(exclude_unset=True)
    named = {"name": "title", "description": "description"}
    fields = {ours: given[theirs] for theirs, ours in named.items() if theirs in given}
    if "severity" in given:
        fields["priority"] = PRIORITY_OF[cast("Severity", given["severity"])]
    if not fields and "status" not in given:
        raise InvalidError("The change names no field.", "Give status, severity, name or description.")
    if "status" in given and STATUS_OF[ticket.state] != body.status:
        step = _step_to(session, actor, ticket, body.status)
        reason = body.statusChangeReason
        resolution = {"resolution": reason} if reason and "resolution" in step.requires else {}
        service.transition(
            session,
            actor=actor,
            ticket_id=ticket.id,
            step=step.code,
            reason=reason,
            fields=resolution,
            expected_version=seen,
        )
    if fields:
        version = version_of(session, ticket.id)
        expected = version if seen is None or "status" in given else seen
        service.edit(session, actor=actor, ticket_id=ticket.id, changes=fields, expected_version=expected)


def _step_to(session: Session, actor: Actor, ticket: Ticket, status: Status) -> Transition:
    """The step that makes the ticket `status`: one open to the actor from here, else any, whose refusal then tells."""
    leading = [each for each in _definition(session, ticket).transitions if STATUS_OF[each.target] == status]
    if not leading:
        raise InvalidError(f"status is {status!r}, which the process never reaches.")
    dispatched = was_dispatched(session, ticket.id)
    against = "never_dispatched" if dispatched else "was_dispatched"

    def rank(step: Transition) -> tuple[bool, bool, bool]:
        return ticket.state not in step.sources, actor.role not in step.roles, against in step.guards

    return min(leading, key=rank)


def _definition(session: Session, ticket: Ticket) -> Definition:
    work = session.get(TicketWork, ticket.id)
    version = (
        work.process_version_id if work else active_version(session, service_type_code=ticket.service_type_code).id
    )
    return definition_of(session, version)
