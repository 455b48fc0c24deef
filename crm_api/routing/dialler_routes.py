"""The dialler's emergency stop over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy.orm import Session

from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.routing import outbound
from crm_api.web.dependencies import DbSession, From, requires
from crm_api.web.errors import problems
from crm_api.web.schemas import In, Out

router = APIRouter(prefix="/api/v1/dialler", tags=["telephony"])
Supervisor = Annotated[Identity, requires(Permission.TELEPHONY_SUPERVISE)]


class StopIn(In):
    """Why nothing may be dialled."""

    reason: str = Field(min_length=1, max_length=300, examples=["名单有误"])


class DiallerOut(Out):
    """Whether the dialler is stopped, by whom and why, and how its last day went."""

    stopped_at: datetime | None
    stopped_by: str | None
    reason: str | None
    answered: int = Field(description="Customers who answered within 24 hours")
    abandoned: int = Field(description="Those of them who found no agent; 3 % at most")


def _told(session: Session) -> DiallerOut:
    found = outbound.state(session)
    return DiallerOut(
        stopped_at=found.stopped_at,
        stopped_by=found.stopped_by,
        reason=found.reason,
        answered=found.day.answered,
        abandoned=found.day.abandoned,
    )


@router.get("")
def look(identity: Supervisor, session: DbSession) -> DiallerOut:
    """Whether the dialler is stopped, and its share of abandoned calls."""
    return _told(session)


@router.post("/stop", responses=problems())
def stop(body: StopIn, identity: Supervisor, session: DbSession, origin: From) -> DiallerOut:
    """Emergency stop: nothing is dialled any more, what rings is hung up; audited. Repeating it changes the reason."""
    outbound.stop(session, actor=identity.actor, reason=body.reason, origin=origin)
    return _told(session)


@router.post("/resume", responses=problems())
def resume(identity: Supervisor, session: DbSession, origin: From) -> DiallerOut:
    """Dial again after a stop; audited."""
    outbound.resume(session, actor=identity.actor, origin=origin)
    return _told(session)
