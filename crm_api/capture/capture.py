"""The capture form: one screen for every channel, sent with one key stroke."""

from datetime import datetime
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from core.i18n import Language
from core.time import to_local, utc_now
from crm_api.capture import drafts, names
from crm_api.capture.capture_service import capture, contact_of_call
from crm_api.capture.forms import Fields, Sent
from crm_api.capture.pages import language_of, render
from crm_api.capture.scripts import script_of
from crm_api.contacts import wrap_up
from crm_api.contacts.service import get_contact
from crm_api.contacts.wrap_up_models import WrapUpCode
from crm_api.customers.schemas import customer_out
from crm_api.customers.service import get_customer
from crm_api.customers.view import masked_phones
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.knowledge.models import KnowledgeArticle
from crm_api.knowledge.service import find as find_articles
from crm_api.suggestions.service import suggest
from crm_api.tickets.checklists import templates
from crm_api.tickets.models import PRIORITIES
from crm_api.web.dependencies import DbSession, From, requires

router = APIRouter(include_in_schema=False)
Writer = Annotated[Identity, requires(Permission.CONTACT_CREATE)]
Helped = Annotated[Identity, requires(Permission.KNOWLEDGE_READ)]
Opener = Annotated[Identity, requires(Permission.TICKET_CREATE)]
Number = Annotated[int | None, Query(ge=1, le=2**63 - 1)]
PLACE = "capture"
_ARTICLES = 4


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


@router.post("/app/capture/help")
def help_for(identity: Helped, session: DbSession, request: Request, sent: Sent) -> Response:
    """The script, text modules and knowledge for a service type and what is typed (in a POST: it stands in no log)."""
    language = language_of(request, identity.language)
    return render(request, session, identity, "script.html", **_help(session, language, sent))


@router.post("/app/capture/listen")
def listen(identity: Opener, session: DbSession, request: Request, sent: Sent) -> Response:
    """What the text suggests as it is typed: complaint types with their confidence, and knowledge."""
    language = language_of(request, identity.language)
    given = _help(session, language, sent)
    is_complaint = (sent.text("service_type_code", longest=60) or "").split(".")[0] == "complaint"
    suggested = suggest(session, sent.text("text") or "") if is_complaint else []
    return render(request, session, identity, "heard.html", suggested=suggested, **given)


def _help(session: Session, language: Language, sent: Fields) -> dict[str, Any]:
    code = sent.text("service_type_code", longest=60) or "consultation"
    return {
        "script": script_of(session, code, language),
        "articles": articles_for(session, language, code, sent.text("text")),
    }


def articles_for(session: Session, language: Language, code: str, text: str | None) -> list[KnowledgeArticle]:
    """What helps with these words; where they say nothing yet, what belongs to the service type."""
    given: dict[str, Any] = {"language": language, "service_type_code": code, "kind": "article", "limit": _ARTICLES}
    return find_articles(session, text=text, **given) or find_articles(session, **given)


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
    language = language_of(request, identity.language)
    service_type = typed.get("service_type_code") or (contact.service_type_code if contact else None) or "consultation"
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
        wrap_ups=_wrap_ups(session),
        wrap_up=wrap_up.code_of(session, contact.id) if contact else None,
        wrap_up_required=contact is not None and wrap_up.is_required(session, contact.id),
        script=script_of(session, service_type, language),
        articles=articles_for(session, language, service_type, typed.get("text")),
    )


def _wrap_ups(session: Session) -> list[tuple[WrapUpCode, list[WrapUpCode]]]:
    """What came of a contact: the groups, each with the codes to choose from."""
    known = wrap_up.codes(session)
    return [(group, [each for each in known if each.parent_code == group.code]) for group in known if group.level == 1]


def _known(typed: str | None) -> int | None:
    return int(typed) if typed and typed.isdecimal() and len(typed) < 19 else None


def _local_input(instant: datetime) -> str:
    return f"{to_local(instant):%Y-%m-%dT%H:%M:%S}"
