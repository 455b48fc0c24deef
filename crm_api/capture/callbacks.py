"""The callback scheduler's pages."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_api.capture.callback_service import due_callbacks, postpone, reminded, schedule, settle
from crm_api.capture.forms import Sent
from crm_api.capture.models import CALLBACK_OUTCOMES
from crm_api.capture.pages import render
from crm_api.customers.masking import mask_number
from crm_api.customers.models import Customer
from crm_api.errors import InvalidError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, RowId, requires

router = APIRouter(include_in_schema=False)
Caller = Annotated[Identity, requires(Permission.CONTACT_CREATE)]


@router.get("/app/callbacks")
def list_callbacks(identity: Caller, session: DbSession, request: Request) -> Response:
    """One's promised calls, soonest first, and the form to promise another."""
    return _page(request, session, identity)


@router.post("/app/callbacks")
def promise(identity: Caller, session: DbSession, request: Request, sent: Sent) -> Response:
    """Promise a call."""
    due_at = sent.local_time("due_at")
    if due_at is None:
        raise InvalidError("due_at is missing.", "Say when to call.")
    schedule(
        session,
        actor=identity.actor,
        due_at=due_at,
        note=sent.text("note", longest=300),
        customer_id=sent.number("customer_id"),
        ticket_id=sent.number("ticket_id"),
        number=sent.text("number", longest=40),
    )
    return _page(request, session, identity)


@router.post("/app/callbacks/{callback_id}/settle")
def settle_callback(callback_id: RowId, identity: Caller, session: DbSession, request: Request, sent: Sent) -> Response:
    """Write down what came of a call."""
    settle(session, actor=identity.actor, callback_id=callback_id, outcome=sent.text("outcome", longest=12) or "")
    return _page(request, session, identity)


@router.get("/app/callbacks/due")
def due(identity: Caller, session: DbSession, request: Request) -> Response:
    """What the shell reminds of: calls that are due and not settled."""
    return render(request, session, identity, "due.html", due=reminded(session, identity.actor))


@router.post("/app/callbacks/{callback_id}/postpone")
def put_off(callback_id: RowId, identity: Caller, session: DbSession, request: Request, sent: Sent) -> Response:
    """Be reminded again later."""
    postpone(session, actor=identity.actor, callback_id=callback_id, minutes=sent.number("minutes") or 0)
    return render(request, session, identity, "due.html", due=reminded(session, identity.actor))


def _page(request: Request, session: Session, identity: Identity) -> Response:
    rows = due_callbacks(session, identity.actor)
    ids = {row.customer_id for row in rows if row.customer_id}
    customers = {row.id: row for row in session.scalars(select(Customer).where(Customer.id.in_(ids)))} if ids else {}
    masked = {row.id: mask_number(row.number) if row.number else None for row in rows}
    return render(
        request,
        session,
        identity,
        "callbacks.html",
        rows=rows,
        customers=customers,
        numbers=masked,
        outcomes=CALLBACK_OUTCOMES,
    )
