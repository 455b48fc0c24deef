"""Customers: searched, listed, seen on one page, revealed with a reason, changed."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import select

from crm_api.audit.service import record
from crm_api.customers import search as searching
from crm_api.customers import service
from crm_api.customers.models import Customer
from crm_api.customers.schemas import (
    CustomerChangeIn,
    CustomerOut,
    CustomerView,
    KeyLevel,
    MatchOut,
    RevealIn,
    RevealOut,
    customer_out,
)
from crm_api.customers.view import masked_phones, view
from crm_api.identity.permissions import Permission
from crm_api.identity.scope import scoped
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.paging import Paging, fetch_page
from crm_api.web.schemas import Page
from crm_api.web.versions import IfMatch, IfNoneMatch, check_if_match, is_unchanged, set_etag

router = APIRouter(prefix="/api/v1/customers", tags=["customers"])
Reader = Annotated[Identity, requires(Permission.CUSTOMER_READ)]


def match_bodies(session: DbSession, matches: list[searching.Match]) -> list[MatchOut]:
    """The bodies for `matches`, with masked numbers to tell them apart."""
    phones = masked_phones(session, [match.customer.id for match in matches])
    return [
        MatchOut(
            customer=customer_out(match.customer),
            reason=match.reason,
            quality=match.quality,
            phones=phones.get(match.customer.id, []),
        )
        for match in matches
    ]


@router.get("", responses=problems())
def list_customers(
    identity: Reader,
    session: DbSession,
    page: Paging,
    unit_id: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Branch, exactly this unit")] = None,
    key_level: Annotated[KeyLevel | None, Query()] = None,
    status: Annotated[str | None, Query(pattern="^(active|left|deceased)$")] = None,
) -> Page[CustomerOut]:
    """Customers within the caller's scope, by id."""
    statement = scoped(select(Customer), identity.actor)
    for column, value in ((Customer.unit_id, unit_id), (Customer.key_level, key_level), (Customer.status, status)):
        if value is not None:
            statement = statement.where(column == value)
    rows, cursor = fetch_page(session, statement, keys=[Customer.id], page=page)
    return Page(items=[customer_out(row) for row in rows], next_cursor=cursor)


@router.get("/search", responses=problems())
def search(
    identity: Reader,
    session: DbSession,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=100,
            description="A number in any spelling, account, smart card, code, name, pinyin (initials), address",
            examples=["029-8765 4321", "zw", "张伟 高新路"],
        ),
    ],
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
) -> list[MatchOut]:
    """Customers that the text may mean, best first; several are offered, none is chosen."""
    return match_bodies(session, searching.search(session, identity.actor, q, limit=limit))


@router.get("/by-number/{number}", responses=problems())
def screen_pop(number: str, identity: Reader, session: DbSession) -> list[MatchOut]:
    """Who calls from this number (any spelling): nobody, one, or several ranked."""
    return match_bodies(session, searching.by_number(session, identity.actor, number[:40]))


@router.get("/{customer_id}", responses=problems(404) | {304: {"description": "You hold the present version"}})
def get_customer(
    customer_id: RowId,
    identity: Reader,
    session: DbSession,
    response: Response,
    origin: From,
    if_none_match: IfNoneMatch = None,
) -> CustomerOut:
    """One customer; the ETag is what a change needs."""
    customer = service.get_customer(session, customer_id, identity.actor)
    if is_unchanged(if_none_match, customer.row_version):
        return Response(status_code=304)  # type: ignore[return-value]  # FastAPI takes a response for a model
    record(session, "customer.viewed", actor=identity.actor, subject=("customer", customer.id), origin=origin)
    set_etag(response, customer.row_version)
    return customer_out(customer)


@router.get("/{customer_id}/view", responses=problems(404))
def get_customer_view(
    customer_id: RowId, identity: Reader, session: DbSession, response: Response, origin: From
) -> CustomerView:
    """Everything about a customer on one page; audited as a view of personal data."""
    customer = service.get_customer(session, customer_id, identity.actor)
    record(session, "customer.viewed", actor=identity.actor, subject=("customer", customer.id), origin=origin)
    set_etag(response, customer.row_version)
    return view(session, customer, identity.actor)


@router.post("/{customer_id}/reveal", responses=problems(404))
def reveal(
    customer_id: RowId,
    body: RevealIn,
    identity: Annotated[Identity, requires(Permission.CUSTOMER_REVEAL)],
    session: DbSession,
    origin: From,
) -> RevealOut:
    """Show personal numbers in clear; who, which, why are written to the audit log first."""
    customer = service.get_customer(session, customer_id, identity.actor)
    shown = service.reveal(
        session, customer, list(body.fields), reason=body.reason, actor=identity.actor, origin=origin
    )
    return RevealOut(**shown)


@router.patch("/{customer_id}", responses=problems(404, 412, 428))
def change_customer(
    customer_id: RowId,
    body: CustomerChangeIn,
    identity: Annotated[Identity, requires(Permission.CUSTOMER_WRITE)],
    session: DbSession,
    response: Response,
    origin: From,
    if_match: IfMatch = None,
) -> CustomerOut:
    """Change a customer; If-Match names the version that was read."""
    customer = service.get_customer(session, customer_id, identity.actor, to_change=True)
    check_if_match(if_match, customer.row_version)
    changes = body.model_dump(exclude_unset=True)
    service.change_customer(session, customer, changes, actor=identity.actor, origin=origin)
    set_etag(response, customer.row_version)
    return customer_out(customer)
