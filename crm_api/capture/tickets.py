"""Tickets: the list, the page, and everything that is done to one."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import or_
from sqlalchemy.orm import Session

from core.time import utc_now
from crm_api.capture import drafts, names
from crm_api.capture.forms import Fields, Sent
from crm_api.capture.many import choices
from crm_api.capture.pages import render
from crm_api.capture.queues import OPEN, mine, rows_of
from crm_api.capture.ticket_view import context, others
from crm_api.dialect import contains, starts_with
from crm_api.errors import InvalidError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.organisation.models import OrgUnit
from crm_api.tickets import service
from crm_api.tickets.access import find
from crm_api.tickets.assignments import return_to_branch, sub_dispatch
from crm_api.tickets.checklists import tick
from crm_api.tickets.comments import comment
from crm_api.tickets.errors import EditedMeanwhileError
from crm_api.tickets.follow_up import record_call
from crm_api.tickets.loop_models import TicketWork
from crm_api.tickets.models import PRIORITIES, TICKET_STATES, Ticket
from crm_api.tickets.monitor import of_unit, standing_as
from crm_api.web.dependencies import DbSession, RowId, requires
from crm_api.web.paging import PageRequest, fetch_page

router = APIRouter(include_in_schema=False)
Reader = Annotated[Identity, requires(Permission.TICKET_READ)]
Worker = Annotated[Identity, requires(Permission.TICKET_WORK)]
Code = Annotated[str, Query(max_length=60)]
_PAGE = 50
_NOBODY = "-"
_STEP_TEXTS = ("resolution", "pending_reason", "complaint_type_code")
_EDITED = ("title", "description", "priority", "complaint_type_code", "product_code", "handler")


@router.get("/app/tickets")
def list_tickets(
    identity: Reader,
    session: DbSession,
    request: Request,
    q: Annotated[str, Query(max_length=100)] = "",
    state: Code = "",
    unit: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    priority: Code = "",
    risk: Literal["", "late", "at_risk", "slow"] = "",
    handler: Code = "",
    mine_only: Annotated[bool, Query(alias="mine")] = False,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """The tickets that the reader sees, newest first, narrowed by the filters."""
    statement = mine(identity.actor, *_filters(session, q, state, unit, priority, risk))
    statement = statement.outerjoin(TicketWork, TicketWork.ticket_id == Ticket.id)
    worker = identity.actor.username if mine_only else handler
    if worker:
        statement = statement.where(TicketWork.handler == (None if worker == _NOBODY else worker))
    page = PageRequest(limit=_PAGE, cursor=cursor)
    found, further = fetch_page(session, statement, keys=[Ticket.id], page=page, descending=True)
    chosen = {"q": q, "state": state, "unit": unit, "priority": priority, "risk": risk, "mine": mine_only}
    return render(
        request,
        session,
        identity,
        "tickets.html",
        rows=rows_of(session, found),
        further=further,
        chosen=chosen | {"handler": handler},
        states=TICKET_STATES,
        priorities=PRIORITIES,
        units=_units(session, identity, unit),
        **choices(session, identity),
    )


def _units(session: Session, identity: Identity, chosen: int | None) -> list[OrgUnit]:
    """The units to narrow to: the cities, or a city's counties; and the county that a figure led to."""
    actor = identity.actor
    if actor.is_province:
        offered = list(names.cities(session))
    else:
        offered = list(names.counties(session, actor.unit_id)) if actor.unit_kind == "city" else []
    known = {each.id for each in offered}
    return [*offered, *(each for key, each in names.units(session, [chosen]).items() if offered and key not in known)]


def _filters(
    session: Session, q: str, state: str, unit: int | None, priority: str, risk: Literal["", "late", "at_risk", "slow"]
) -> list[Any]:
    found: list[Any] = []
    if q.strip():
        wanted = q.strip()
        found.append(or_(starts_with(session, Ticket.code, wanted.upper()), contains(Ticket.title, wanted)))
    if state == "open":
        found.append(OPEN)
    elif state:
        found.append(Ticket.state == state)
    if unit is not None:
        found.append(of_unit(unit))
    if priority:
        found.append(Ticket.priority == priority)
    if risk:
        found += [standing_as(session, risk, now=utc_now()), OPEN]
    return found


@router.get("/app/tickets/{ticket_id}")
def ticket_page(ticket_id: RowId, identity: Reader, session: DbSession, request: Request) -> Response:
    """One ticket: state, clocks, history, remarks, and the steps that the reader may take."""
    return render(request, session, identity, "ticket.html", **context(session, identity, ticket_id))


@router.get("/app/tickets/{ticket_id}/deadline")
def deadline(
    ticket_id: RowId,
    identity: Reader,
    session: DbSession,
    request: Request,
    clock: Literal["first_response", "resolution"] = "resolution",
) -> Response:
    """Why a deadline is what it is."""
    told = service.explain(session, actor=identity.actor, ticket_id=ticket_id, clock=clock)
    return render(request, session, identity, "deadline.html", told=told)


@router.post("/app/tickets/{ticket_id}/steps")
def take_step(ticket_id: RowId, identity: Worker, session: DbSession, request: Request, sent: Sent) -> Response:
    """Take one step of the loop."""
    fields: dict[str, Any] = {name: sent.text(name) for name in _STEP_TEXTS if sent.text(name)}
    if sent.number("unit_id") is not None:
        fields["unit_id"] = sent.number("unit_id")
    if sent.text("pending_until"):
        fields["pending_until"] = sent.local_time("pending_until")
    service.transition(
        session,
        actor=identity.actor,
        ticket_id=ticket_id,
        step=sent.text("step", longest=40) or "",
        reason=sent.text("reason"),
        fields=fields,
        expected_version=sent.number("version"),
    )
    return _again(request, session, identity, ticket_id)


@router.post("/app/tickets/{ticket_id}/edit")
def edit(ticket_id: RowId, identity: Worker, session: DbSession, request: Request, sent: Sent) -> Response:
    """Change fields; what somebody else changed meanwhile is refused field by field."""
    typed = sent.texts()
    changes = {name: sent.text(name) for name in _EDITED if name in typed}
    mine_only = _changed(session, identity, ticket_id, changes, sent)
    try:
        service.edit(
            session,
            actor=identity.actor,
            ticket_id=ticket_id,
            changes=mine_only,
            expected_version=sent.number("version") or 0,
        )
    except EditedMeanwhileError as clash:
        return _merge(request, session, identity, ticket_id, mine_only, clash)
    return _again(request, session, identity, ticket_id)


def _merge(
    request: Request,
    session: Session,
    identity: Identity,
    ticket_id: int,
    changes: dict[str, str | None],
    clash: EditedMeanwhileError,
) -> Response:
    """The page with both values of each field that two people changed, to choose from; the other changes are kept."""
    view = context(session, identity, ticket_id)
    clashes = [(each, changes.get(name)) for name, each in clash.differences.items()]
    kept = {name: value for name, value in changes.items() if name not in clash.differences}
    told = view | {"clashes": clashes, "kept": kept}
    headers = {"HX-Push-Url": "false"}
    return render(request, session, identity, "ticket.html", status=409, headers=headers, **told)


def _changed(
    session: Session, identity: Identity, ticket_id: int, changes: dict[str, str | None], sent: Fields
) -> dict[str, str | None]:
    """What the person changed: a field left as it was shown to them (`was_…`) is not theirs to overwrite with."""
    find(session, actor=identity.actor, ticket_id=ticket_id)
    return {name: value for name, value in changes.items() if value != sent.text(f"was_{name}")}


@router.post("/app/tickets/{ticket_id}/comments")
def add_comment(ticket_id: RowId, identity: Worker, session: DbSession, request: Request, sent: Sent) -> Response:
    """Remark on a ticket, for colleagues or for the customer."""
    find(session, actor=identity.actor, ticket_id=ticket_id)
    comment(
        session,
        actor=identity.actor,
        ticket_id=ticket_id,
        body=sent.text("body") or "",
        audience=sent.text("audience", longest=8) or "internal",
    )
    drafts.forget(session, identity.user_id, f"ticket:{ticket_id}")
    return _again(request, session, identity, ticket_id)


@router.post("/app/tickets/{ticket_id}/counties")
def send_to_county(ticket_id: RowId, identity: Worker, session: DbSession, request: Request, sent: Sent) -> Response:
    """Send a branch's ticket on to a county."""
    unit = sent.number("unit_id")
    find(session, actor=identity.actor, ticket_id=ticket_id)
    if unit is None:
        raise InvalidError("unit_id is missing.", "Choose the county.")
    sub_dispatch(session, actor=identity.actor, ticket_id=ticket_id, unit_id=unit, reason=sent.text("reason"))
    return _again(request, session, identity, ticket_id)


@router.post("/app/tickets/{ticket_id}/counties/return")
def return_from_county(
    ticket_id: RowId, identity: Worker, session: DbSession, request: Request, sent: Sent
) -> Response:
    """Give a county's part back to its branch."""
    unit = sent.number("unit_id")
    find(session, actor=identity.actor, ticket_id=ticket_id)
    if unit is None:
        raise InvalidError("unit_id is missing.", "Choose the county.")
    reason = sent.text("reason") or ""
    return_to_branch(session, actor=identity.actor, ticket_id=ticket_id, unit_id=unit, reason=reason)
    return _again(request, session, identity, ticket_id)


@router.post("/app/tickets/{ticket_id}/checklist")
def tick_off(ticket_id: RowId, identity: Worker, session: DbSession, request: Request, sent: Sent) -> Response:
    """Tick an item of the checklist off, or take the tick back."""
    code, done = sent.text("code", longest=40) or "", sent.text("done", longest=2) == "1"
    tick(session, actor=identity.actor, ticket_id=ticket_id, code=code, done=done)
    return _again(request, session, identity, ticket_id)


@router.post("/app/tickets/{ticket_id}/calls")
def note_call(ticket_id: RowId, identity: Worker, session: DbSession, request: Request, sent: Sent) -> Response:
    """Write down a follow-up call."""
    record_call(
        session,
        actor=identity.actor,
        ticket_id=ticket_id,
        outcome=sent.text("outcome", longest=12) or "",
        score=sent.number("score"),
        note=sent.text("note", longest=300),
    )
    return _again(request, session, identity, ticket_id)


@router.post("/app/tickets/{ticket_id}/presence")
def presence(ticket_id: RowId, identity: Reader, session: DbSession, request: Request, sent: Sent) -> Response:
    """Say that one has the page open, and hear who else has."""
    find(session, actor=identity.actor, ticket_id=ticket_id)
    here = others(session, identity, ticket_id, editing=sent.text("editing", longest=1) == "1")
    return render(request, session, identity, "presence.html", others=here)


def _again(request: Request, session: Session, identity: Identity, ticket_id: int) -> Response:
    """The ticket's page as it is now; somebody who no longer sees it is told so."""
    session.flush()
    return render(request, session, identity, "ticket.html", **context(session, identity, ticket_id))
