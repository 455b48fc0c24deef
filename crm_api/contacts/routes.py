"""Contacts: received from every channel, listed, completed."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_api.contacts import service, wrap_up
from crm_api.contacts.models import Contact
from crm_api.contacts.schemas import (
    ContactChangeIn,
    ContactDetails,
    ContactIn,
    ContactOut,
    ContactReceived,
    contact_out,
    text_out,
)
from crm_api.customers.routes import match_bodies
from crm_api.identity.models import User
from crm_api.identity.permissions import Permission
from crm_api.identity.schemas import Instant
from crm_api.identity.scope import scoped
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.paging import Paging, fetch_page
from crm_api.web.schemas import Page
from crm_api.web.versions import IfMatch, check_if_match, set_etag

router = APIRouter(prefix="/api/v1/contacts", tags=["contacts"])
Reader = Annotated[Identity, requires(Permission.CONTACT_READ)]
Writer = Annotated[Identity, requires(Permission.CONTACT_CREATE)]


@router.post("", status_code=201, response_model=ContactReceived, responses=problems(409))
def receive_contact(body: ContactIn, identity: Writer, session: DbSession, origin: From, once: Idempotent) -> Response:
    """The one door of every channel. 201 with is_new false says that this contact was here already."""

    def produce() -> ContactReceived:
        fields = body.model_dump(exclude={"channel", "external_id"})
        user = session.get_one(User, identity.user_id)
        received = service.receive(
            session,
            channel=body.channel,
            external_id=body.external_id,
            payload=service.ContactPayload(**fields, agent_id=user.agent_id),
            actor=identity.actor,
            origin=origin,
        )
        return ContactReceived(
            contact=contact_out(received.contact),
            is_new=received.is_new,
            candidates=match_bodies(session, received.candidates),
        )

    return once.run(produce)


@router.get("", responses=problems())
def list_contacts(
    identity: Reader,
    session: DbSession,
    page: Paging,
    channel: Annotated[str | None, Query(max_length=40)] = None,
    customer_id: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    service_type: Annotated[str | None, Query(max_length=60)] = None,
    since: Annotated[Instant | None, Query(description="Started at or after")] = None,
    until: Annotated[Instant | None, Query(description="Started before")] = None,
) -> Page[ContactOut]:
    """Contacts within the caller's scope, latest start first."""
    statement = scoped(select(Contact), identity.actor)
    for column, value in (
        (Contact.channel_code, channel),
        (Contact.customer_id, customer_id),
        (Contact.service_type_code, service_type),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if since is not None:
        statement = statement.where(Contact.started_at >= since)
    if until is not None:
        statement = statement.where(Contact.started_at < until)
    keys = [Contact.started_at, Contact.id]
    rows, cursor = fetch_page(session, statement, keys=keys, page=page, descending=True)
    return Page(items=[contact_out(row) for row in rows], next_cursor=cursor)


@router.get("/{contact_id}", responses=problems(404))
def get_contact(contact_id: RowId, identity: Reader, session: DbSession, response: Response) -> ContactDetails:
    """One contact with its messages and notes."""
    contact = service.get_contact(session, contact_id, identity.actor)
    set_etag(response, contact.row_version)
    return _details(session, contact)


@router.patch("/{contact_id}", responses=problems(404, 412, 428))
def change_contact(
    contact_id: RowId,
    body: ContactChangeIn,
    identity: Writer,
    session: DbSession,
    response: Response,
    origin: From,
    if_match: IfMatch = None,
) -> ContactDetails:
    """Say whose contact it was and what about; If-Match names the version that was read."""
    contact = service.get_contact(session, contact_id, identity.actor, to_change=True)
    check_if_match(if_match, contact.row_version)
    changes = body.model_dump(exclude_unset=True)
    service.change_contact(session, contact, changes, actor=identity.actor, origin=origin)
    set_etag(response, contact.row_version)
    return _details(session, contact)


def _details(session: Session, contact: Contact) -> ContactDetails:
    return ContactDetails(
        contact=contact_out(contact),
        texts=[text_out(row) for row in service.texts(session, contact)],
        wrap_up_code=wrap_up.code_of(session, contact.id),
        is_wrap_up_required=wrap_up.is_required(session, contact.id),
    )
