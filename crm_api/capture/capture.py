"""The capture form: one screen for every channel, sent with one key stroke."""

from datetime import datetime
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from core.time import to_local, utc_now
from crm_api.capture import drafts, names
from crm_api.capture.capture_service import capture, contact_of_call
from crm_api.capture.forms import Sent
from crm_api.capture.pages import language_of, render
from crm_api.capture.scripts import script_of
from crm_api.contacts.service import get_contact
from crm_api.customers.schemas import customer_out
from crm_api.customers.service import get_customer
from crm_api.customers.view import masked_phones
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.tickets.checklists import templates
from crm_api.tickets.models import PRIORITIES
from crm_api.web.dependencies import DbSession, From, requires

router = APIRouter(include_in_schema=False)
Writer = Annotated[Identity, requires(Permission.CONTACT_CREATE)]
Helped = Annotated[Identity, requires(Permission.KNOWLEDGE_READ)]
Number = Annotated[int | None, Query(ge=1, le=2**63 - 1)]
PLACE = "capture"


@router.get("/app/capture")
def capture_form(
    identity: Writer,
    session: DbSession,
    request: Request,
    customer_id: Number = None,
    contact_id: Number = None,
    call: Annotated[str | None, Query(max_length=120)] = None,
) -> Response:
    """The form: empty, for a customer, for a contact or a call that came in, or as one left it."""
    if call is not None and contact_id is None:
        contact_id = contact_of_call(session, call)
    typed = drafts.load(session, identity.user_id, PLACE)
    # Without a word typed only the choices before the customer was chosen are kept; a new call starts from nothing.
    if not typed.get("text", "").strip() and customer_id is None and contact_id is None:
        typed = {}
    return _form(request, session, identity, typed, customer_id, contact_id)


@router.post("/app/capture")
def send(identity: Writer, session: DbSession, request: Request, origin: From, sent: Sent) -> Response:
    """Capture what the form says, then show the next empty form with what was made."""
    made = capture(session, identity=identity, sent=sent, origin=origin)
    drafts.forget(session, identity.user_id, PLACE)
    return _form(request, session, identity, {}, None, None, made=made)


@router.get("/app/capture/help")
def help_for(
    identity: Helped, session: DbSession, request: Request, service_type_code: Annotated[str, Query(max_length=60)] = ""
) -> Response:
    """The script, text modules and knowledge for a service type."""
    script = script_of(service_type_code, language_of(request, identity.language))
    return render(request, session, identity, "script.html", script=script)


def _form(
    request: Request,
    session: Session,
    identity: Identity,
    typed: dict[str, str],
    customer_id: int | None,
    contact_id: int | None,
    made: object = None,
) -> Response:
    actor = identity.actor
    contact = get_contact(session, contact_id, actor) if contact_id else None
    chosen = customer_id or (contact.customer_id if contact else None) or _known(typed.get("customer_id"))
    customer = get_customer(session, chosen, actor) if chosen else None
    phones = masked_phones(session, [customer.id]).get(customer.id, []) if customer else []
    branch = names.city_above(session, customer.unit_id) if customer else None
    return render(
        request,
        session,
        identity,
        "capture.html",
        typed=typed,
        made=made,
        key=uuid4().hex,
        began_at=_local_input(utc_now()),
        contact=contact,
        customer=customer_out(customer) if customer else None,
        phones=phones,
        branch=branch,
        channels=names.channels(session),
        service_types=names.service_types(session),
        complaint_groups=names.complaint_groups(session),
        products=names.products(session),
        branches=names.own_branches(session, actor),
        templates=templates(session),
        priorities=PRIORITIES,
        script=script_of(typed.get("service_type_code") or "consultation", language_of(request, identity.language)),
    )


def _known(typed: str | None) -> int | None:
    return int(typed) if typed and typed.isdecimal() and len(typed) < 19 else None


def _local_input(instant: datetime) -> str:
    return f"{to_local(instant):%Y-%m-%dT%H:%M:%S}"
