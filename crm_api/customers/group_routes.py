"""Groups of customers over HTTP: listed, made, changed, joined and left."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy import select

from crm_api.customers import groups
from crm_api.customers.group_models import CustomerGroup
from crm_api.customers.service import get_customer
from crm_api.identity.models import User
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.paging import Paging, fetch_page
from crm_api.web.schemas import In, Out, Page
from crm_api.web.versions import IfMatch, check_if_match, set_etag

router = APIRouter(prefix="/api/v1/customer-groups", tags=["customers"])
Reader = Annotated[Identity, requires(Permission.CUSTOMER_READ)]
Decider = Annotated[Identity, requires(Permission.KEY_LEVEL_DECIDE)]


class GroupOut(Out):
    """A group of customers."""

    id: int
    code: str
    name: str
    unit_id: int
    account_manager: str | None
    is_active: bool
    created_at: datetime


class MemberOut(Out):
    """A customer who is in a group."""

    customer_id: int
    customer_code: str
    joined_at: datetime


class GroupView(GroupOut):
    """A group with its present members, as far as the caller may see them."""

    members: list[MemberOut]


class GroupIn(In):
    """A group to make; without a unit it is the caller's."""

    code: str = Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9._-]+$", examples=["G-QUJIANG"])
    name: str = Field(min_length=1, max_length=200, examples=["曲江酒店集团"])
    unit_id: int | None = Field(default=None, ge=1, le=2**63 - 1)
    account_manager: str | None = Field(default=None, max_length=60)


class GroupChangeIn(In):
    """What to change; everybody leaves a group that is made inactive."""

    name: str = Field(default="", min_length=1, max_length=200)
    account_manager: str | None = Field(default=None, max_length=60)
    is_active: bool = True


class MemberIn(In):
    """Who joins."""

    customer_id: int = Field(ge=1, le=2**63 - 1)


@router.get("", responses=problems())
def list_groups(
    identity: Reader,
    session: DbSession,
    page: Paging,
    is_active: Annotated[bool | None, Query(description="Only those in use, or only those no longer")] = None,
) -> Page[GroupOut]:
    """Groups within the caller's scope, by id."""
    statement = groups.visible(identity.actor)
    if is_active is not None:
        statement = statement.where(CustomerGroup.is_active == is_active)
    rows, cursor = fetch_page(session, statement, keys=[CustomerGroup.id], page=page)
    managers = _managers(session, rows)
    return Page(items=[_group(row, managers) for row in rows], next_cursor=cursor)


@router.post("", status_code=201, response_model=GroupOut, responses=problems(409))
def create_group(body: GroupIn, identity: Decider, session: DbSession, origin: From, once: Idempotent) -> Response:
    """Make a group."""

    def produce() -> GroupOut:
        made = groups.create(session, **body.model_dump(), actor=identity.actor, origin=origin)
        return _group(made, _managers(session, [made]))

    return once.run(produce)


@router.get("/{group_id}", responses=problems(404))
def get_group(group_id: RowId, identity: Reader, session: DbSession, response: Response) -> GroupView:
    """One group and who is in it now; the ETag is what a change needs."""
    group = groups.get_group(session, group_id, identity.actor)
    set_etag(response, group.row_version)
    present = groups.members(session, [group.id], identity.actor)[group.id]
    return GroupView(
        **_group(group, _managers(session, [group])).model_dump(),
        members=[_member(customer.id, customer.code, member.joined_at) for member, customer in present],
    )


@router.patch("/{group_id}", responses=problems(404, 412, 428))
def change_group(
    group_id: RowId,
    body: GroupChangeIn,
    identity: Decider,
    session: DbSession,
    response: Response,
    origin: From,
    if_match: IfMatch = None,
) -> GroupOut:
    """Rename a group, name its manager, or take it out of use; If-Match names the version that was read."""
    group = groups.get_group(session, group_id, identity.actor, to_change=True)
    check_if_match(if_match, group.row_version)
    groups.change(session, group, body.model_dump(exclude_unset=True), actor=identity.actor, origin=origin)
    set_etag(response, group.row_version)
    return _group(group, _managers(session, [group]))


@router.post("/{group_id}/members", status_code=201, response_model=MemberOut, responses=problems(404, 409))
def add_member(
    group_id: RowId, body: MemberIn, identity: Decider, session: DbSession, origin: From, once: Idempotent
) -> Response:
    """Let a customer join from now on; they may be in several groups."""

    def produce() -> MemberOut:
        member = groups.add_member(session, group_id, body.customer_id, actor=identity.actor, origin=origin)
        customer = get_customer(session, member.customer_id, identity.actor)
        return _member(customer.id, customer.code, member.joined_at)

    return once.run(produce)


@router.delete("/{group_id}/members/{customer_id}", status_code=204, responses=problems(404))
def remove_member(group_id: RowId, customer_id: RowId, identity: Decider, session: DbSession, origin: From) -> None:
    """Let a customer leave from now on."""
    groups.remove_member(session, group_id, customer_id, actor=identity.actor, origin=origin)


def _managers(session: DbSession, rows: list[CustomerGroup]) -> dict[int, str]:
    ids = [row.manager_id for row in rows if row.manager_id is not None]
    return {row.id: row.username for row in session.execute(select(User.id, User.username).where(User.id.in_(ids)))}


def _group(row: CustomerGroup, managers: dict[int, str]) -> GroupOut:
    plain = {name: getattr(row, name) for name in GroupOut.model_fields if name != "account_manager"}
    return GroupOut(**plain, account_manager=managers.get(row.manager_id or 0))


def _member(customer_id: int, code: str, joined_at: datetime) -> MemberOut:
    return MemberOut(customer_id=customer_id, customer_code=code, joined_at=joined_at)
