"""Groups on a customer's page: joined, made with the customer as their first member, left."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from crm_api.capture.customers import show_customer
from crm_api.capture.forms import Sent
from crm_api.customers import groups, service
from crm_api.errors import InvalidError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, From, RowId, requires

router = APIRouter(include_in_schema=False)
Decider = Annotated[Identity, requires(Permission.KEY_LEVEL_DECIDE)]


@router.post("/app/customers/{customer_id}/groups")
def join(
    customer_id: RowId, identity: Decider, session: DbSession, request: Request, sent: Sent, origin: From
) -> Response:
    """Put a customer into a known group, or into a new one."""
    service.get_customer(session, customer_id, identity.actor)
    group_id = sent.number("group_id")
    if group_id is None:
        code, name = sent.text("code", longest=60), sent.text("name", longest=200)
        if not code or not name:
            raise InvalidError("The group is missing.", "Choose one, or give a new one's code and name.")
        made = groups.create(session, code=code, name=name, actor=identity.actor, origin=origin)
        group_id = made.id
    groups.add_member(session, group_id, customer_id, actor=identity.actor, origin=origin)
    return show_customer(request, session, identity, customer_id, origin)


@router.post("/app/customers/{customer_id}/groups/{group_id}/leave")
def leave(
    customer_id: RowId, group_id: RowId, identity: Decider, session: DbSession, request: Request, origin: From
) -> Response:
    """Take a customer out of a group."""
    groups.remove_member(session, group_id, customer_id, actor=identity.actor, origin=origin)
    return show_customer(request, session, identity, customer_id, origin)
