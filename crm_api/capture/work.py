"""Queues to work from: the dispatch board, the review, the follow-up calls, a branch's own."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from core.actor import BRANCH_ROLES, PROVINCIAL_ROLES, Role
from crm_api.capture import names
from crm_api.capture.failures import in_words
from crm_api.capture.forms import Fields, Sent
from crm_api.capture.pages import render
from crm_api.capture.queues import TicketRow, waiting
from crm_api.customers.models import Customer
from crm_api.errors import NotAllowedError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.tickets import bulk, follow_up
from crm_api.tickets.models import Ticket
from crm_api.tickets.proposals import proposals
from crm_api.web.dependencies import DbSession, RowId, requires

router = APIRouter(include_in_schema=False)
Worker = Annotated[Identity, requires(Permission.TICKET_WORK)]
Sender = Annotated[Identity, requires(Permission.TICKET_BULK)]


def _only(identity: Identity, roles: frozenset[Role]) -> None:
    if identity.actor.role not in roles:
        raise NotAllowedError(f"{identity.actor.role} does not work this queue.", "Choose another page.")


def _proposed(session: Session, rows: list[TicketRow]) -> dict[int, int | None]:
    """Ticket -> the city branch it most likely belongs to."""
    found = {}
    for row in rows:
        customer = session.get(Customer, row.ticket.customer_id) if row.ticket.customer_id else None
        own = names.city_above(session, row.ticket.unit_id)
        found[row.ticket.id] = own or names.city_above(session, customer.unit_id if customer else None)
    return found


@router.get("/app/dispatch")
def dispatch_board(identity: Worker, session: DbSession, request: Request) -> Response:
    """What waits for the province to send it to a branch, most urgent first."""
    _only(identity, PROVINCIAL_ROLES)
    return _board(request, session, identity)


def _board(request: Request, session: Session, identity: Identity, **told: Any) -> Response:
    rows = waiting(session, identity.actor, "dispatch")
    given: dict[str, Any] = {"outlooks": [], "action": "", "unit_id": None, "bulk": None, "chosen": []}
    return render(
        request,
        session,
        identity,
        "dispatch.html",
        rows=rows,
        proposed=_proposed(session, rows),
        cities=names.cities(session),
        **(given | told | {"outlooks": in_words(request, told.get("outlooks", ()), identity.language)}),
    )


@router.post("/app/bulk")
def act_on_many(identity: Sender, session: DbSession, request: Request, sent: Sent) -> Response:
    """One action on many tickets: tried first (`preview`), then done; each ticket that refuses says why."""
    _only(identity, PROVINCIAL_ROLES)
    chosen, action, parameters = sent.numbers("ticket_id"), sent.text("action", longest=20) or "", _parameters(sent)
    told: dict[str, Any] = {"action": action, "unit_id": parameters.get("unit_id"), "chosen": chosen}
    if sent.text("preview", longest=1) == "1":
        outlooks = bulk.preview(session, actor=identity.actor, ticket_ids=chosen, action=action, parameters=parameters)
        return _board(request, session, identity, outlooks=outlooks, **told)
    done, outlooks = bulk.carry_out(
        session, actor=identity.actor, ticket_ids=chosen, action=action, parameters=parameters
    )
    return _board(request, session, identity, outlooks=outlooks, bulk=done, **told)


def _parameters(sent: Fields) -> dict[str, Any]:
    unit = sent.number("unit_id")
    return ({"unit_id": unit} if unit is not None else {}) | (
        {"reason": sent.text("reason", longest=300)} if sent.text("reason") else {}
    )


@router.post("/app/bulk/{bulk_id}/undo")
def undo_many(bulk_id: RowId, identity: Sender, session: DbSession, request: Request) -> Response:
    """Take a bulk action back."""
    _only(identity, PROVINCIAL_ROLES)
    outlooks = bulk.undo(session, actor=identity.actor, bulk_id=bulk_id)
    return _board(request, session, identity, outlooks=outlooks, action="undo")


@router.get("/app/review")
def review_queue(identity: Worker, session: DbSession, request: Request) -> Response:
    """What branches resolved and the province has not looked at yet."""
    return review_page(request, session, identity)


def review_page(
    request: Request, session: Session, identity: Identity, *, outlooks: Sequence[bulk.Outlook] = ()
) -> Response:
    """The review queue with the outages' proposals; `outlooks` is what an accepted one did."""
    _only(identity, PROVINCIAL_ROLES)
    together = proposals(session, actor=identity.actor)
    parents = {row.parent_id: session.get(Ticket, row.parent_id) for row, _ in together if row.parent_id}
    rows = waiting(session, identity.actor, "review")
    return render(
        request,
        session,
        identity,
        "queue.html",
        queue="review",
        rows=rows,
        proposals=together,
        parents=parents,
        outlooks=in_words(request, outlooks, identity.language),
    )


@router.get("/app/follow-up")
def follow_up_queue(identity: Worker, session: DbSession, request: Request) -> Response:
    """Customers to ask before their tickets close."""
    _only(identity, PROVINCIAL_ROLES)
    rows = waiting(session, identity.actor, "follow_up")
    return render(request, session, identity, "queue.html", queue="follow_up", rows=rows, proposals=[], outlooks=())


@router.post("/app/follow-up/next")
def next_call(identity: Worker, session: DbSession) -> Response:
    """Take the next customer to call, and open their ticket."""
    _only(identity, PROVINCIAL_ROLES)
    ticket = follow_up.claim_next(session, actor=identity.actor)
    return RedirectResponse(f"/app/tickets/{ticket.id}" if ticket else "/app/follow-up", status_code=303)


@router.get("/app/branch")
def branch_queue(identity: Worker, session: DbSession, request: Request) -> Response:
    """What a branch has to do, most urgent first."""
    _only(identity, BRANCH_ROLES)
    rows = waiting(session, identity.actor, "branch")
    return render(request, session, identity, "queue.html", queue="branch", rows=rows, proposals=[], outlooks=())
