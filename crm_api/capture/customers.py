"""Finding a customer as one types, their page, and revealing what is masked."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_api.audit.service import Origin, record
from crm_api.campaigns.service import history
from crm_api.capture.capture_service import contact_of_call
from crm_api.capture.forms import Sent
from crm_api.capture.names import channels, service_types
from crm_api.capture.pages import render
from crm_api.capture.phone_words import way_text
from crm_api.capture.queues import rows_of
from crm_api.contacts.text_models import ContactText
from crm_api.customers import groups, service
from crm_api.customers import search as searching
from crm_api.customers.group_models import CustomerGroup
from crm_api.customers.models import CustomerMerge
from crm_api.customers.routes import match_bodies
from crm_api.customers.view import view
from crm_api.errors import InvalidError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.organisation.models import Township
from crm_api.scores import service as scores
from crm_api.tickets.models import Ticket
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.workforce.models import Queue

router = APIRouter(include_in_schema=False)
Reader = Annotated[Identity, requires(Permission.CUSTOMER_READ)]
Revealer = Annotated[Identity, requires(Permission.CUSTOMER_REVEAL)]
_SHOWN = 20
_GROUPS_SHOWN = 500


@router.get("/app/customers")
def find_customers(
    identity: Reader, session: DbSession, request: Request, q: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """The search; results come as one types."""
    matches = match_bodies(session, searching.search(session, identity.actor, q, limit=_SHOWN)) if q.strip() else []
    return render(request, session, identity, "customers.html", q=q, matches=matches)


@router.post("/app/pop")
def pop(identity: Reader, session: DbSession, request: Request, sent: Sent) -> Response:
    """Who calls from a number: nobody, one, or several to choose from; the number never stands in an address."""
    number, call = sent.text("number", longest=40) or "", sent.text("call", longest=120)
    found = searching.by_number(session, identity.actor, number) if number else []
    if not found and number:
        found = searching.search(session, identity.actor, number, limit=_SHOWN)
    return render(
        request,
        session,
        identity,
        "pop.html",
        number=number,
        matches=match_bodies(session, found),
        contact_id=sent.number("contact_id") or (contact_of_call(session, call) if call else None),
        call=call,
        queue=session.scalars(select(Queue).where(Queue.code == sent.text("queue", longest=60))).one_or_none(),
        priority=sent.number("priority"),
        path_chosen=sent.text("path", longest=100),
        way=way_text,
        rang=sent.text("rang", longest=1) == "1",
    )


@router.get("/app/customers/{customer_id}")
def customer_page(customer_id: RowId, identity: Reader, session: DbSession, request: Request, origin: From) -> Response:
    """Everything about a customer; audited as a view of personal data."""
    return show_customer(request, session, identity, customer_id, origin)


def show_customer(
    request: Request,
    session: Session,
    identity: Identity,
    customer_id: int,
    origin: Origin,
    *,
    merge: CustomerMerge | None = None,
) -> Response:
    """A customer's page; `merge` is one that was just made or undone, told above it."""
    customer = service.get_customer(session, customer_id, identity.actor)
    record(session, "customer.viewed", actor=identity.actor, subject=("customer", customer.id), origin=origin)
    seen = view(session, customer, identity.actor)
    own = groups.groups_of(session, customer.id, identity.actor)
    may_group = identity.may(Permission.KEY_LEVEL_DECIDE)
    tickets = {
        row.id: row for row in session.scalars(select(Ticket).where(Ticket.id.in_([t.id for t in seen.tickets])))
    }
    return render(
        request,
        session,
        identity,
        "customer.html",
        headers={"HX-Push-Url": f"/app/customers/{customer.id}"} if merge else {},
        view=seen,
        township=session.scalars(select(Township).where(Township.id == customer.township_id)).first(),
        channel_names={row.code: row for row in channels(session)},
        service_names={row.code: row for row in service_types(session)},
        tickets=rows_of(session, [tickets[each.id] for each in seen.tickets]),
        texts=_texts(session, [each.id for each in seen.contacts]),
        answers={each.contact_id: each.score for each in seen.surveys if each.contact_id},
        scores=scores.of(session, customer.id),
        campaigns=history(session, identity.actor, customer.id),
        groups=own,
        members=groups.members(session, [each.id for each in own], identity.actor),
        may_group=may_group,
        other_groups=_others(session, identity, own) if may_group else [],
        may_capture=identity.may(Permission.CONTACT_CREATE),
        merge=merge,
    )


def _others(session: Session, identity: Identity, own: list[CustomerGroup]) -> list[CustomerGroup]:
    """The active groups that a customer can still join."""
    statement = groups.visible(identity.actor).where(
        CustomerGroup.is_active, CustomerGroup.id.not_in([each.id for each in own])
    )
    return list(session.scalars(statement.order_by(CustomerGroup.name, CustomerGroup.id).limit(_GROUPS_SHOWN)))


def _texts(session: Session, contact_ids: list[int]) -> dict[int, str]:
    """Contact -> what was first written down about it."""
    rows = session.execute(
        select(ContactText.contact_id, ContactText.body)
        .where(ContactText.contact_id.in_(contact_ids))
        .order_by(ContactText.id.desc())
    )
    return {row.contact_id: row.body for row in rows}


@router.post("/app/customers/{customer_id}/reveal")
def reveal(
    customer_id: RowId, identity: Revealer, session: DbSession, request: Request, origin: From, sent: Sent
) -> Response:
    """Show what is masked, to somebody who says why; who, what and why are in the audit log first."""
    reason = sent.text("reason", longest=300)
    if not reason or len(reason) < 2:
        raise InvalidError("The reason is missing.", "Say why you need the numbers in clear.")
    customer = service.get_customer(session, customer_id, identity.actor)
    shown = service.reveal(
        session, customer, list(service.REVEALABLE), reason=reason, actor=identity.actor, origin=origin
    )
    return render(request, session, identity, "revealed.html", shown=shown, reason=reason)
