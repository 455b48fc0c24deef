"""Reading the audit log."""

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import select

from crm_api.audit.models import AuditEntry
from crm_api.identity.permissions import Permission
from crm_api.identity.schemas import Instant
from crm_api.identity.scope import scoped
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, requires
from crm_api.web.errors import problems
from crm_api.web.paging import Paging, fetch_page
from crm_api.web.schemas import Out, Page

router = APIRouter(prefix="/api/v1", tags=["administration"])


class AuditOut(Out):
    """One audited act."""

    id: int
    occurred_at: datetime
    action: str = Field(examples=["customer.revealed"])
    username: str | None
    role: str | None
    unit_id: int | None
    object_type: str | None
    object_id: str | None
    reason: str | None
    address: str | None
    request_id: str | None
    details: dict[str, Any]


def _out(row: AuditEntry) -> AuditOut:
    plain = {name: getattr(row, name) for name in AuditOut.model_fields if name != "details"}
    return AuditOut(**plain, details=json.loads(row.details) if row.details else {})


@router.get("/audit", responses=problems())
def list_audit(
    identity: Annotated[Identity, requires(Permission.AUDIT_READ)],
    session: DbSession,
    page: Paging,
    action: Annotated[str | None, Query(max_length=60, examples=["customer.revealed"])] = None,
    username: Annotated[str | None, Query(max_length=60)] = None,
    object_type: Annotated[str | None, Query(max_length=40, examples=["customer"])] = None,
    object_id: Annotated[str | None, Query(max_length=60)] = None,
    since: Annotated[Instant | None, Query()] = None,
) -> Page[AuditOut]:
    """The audit log, newest first."""
    statement = scoped(select(AuditEntry), identity.actor)
    wanted = {"action": action, "username": username, "object_type": object_type, "object_id": object_id}
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(getattr(AuditEntry, name) == value)
    if since is not None:
        statement = statement.where(AuditEntry.occurred_at >= since)
    rows, cursor = fetch_page(session, statement, keys=[AuditEntry.id], page=page, descending=True)
    return Page(items=[_out(row) for row in rows], next_cursor=cursor)
