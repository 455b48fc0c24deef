"""Wrap-up codes over HTTP, and which queues ask for them."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from crm_api.contacts import wrap_up
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.schemas import In, Out

router = APIRouter(prefix="/api/v1", tags=["contacts"])
Reader = Annotated[Identity, requires(Permission.CONTACT_READ)]
Keeper = Annotated[Identity, requires(Permission.PROCESS_MANAGE)]


class WrapUpCodeOut(Out):
    """A code; level 1 groups, level 2 is chosen."""

    code: str = Field(examples=["solved.explained"])
    parent_code: str | None
    level: int
    name_zh: str
    name_en: str


class QueueWrapUpIn(In):
    """Whether the queue asks for a code."""

    is_required: bool


class QueueWrapUpOut(Out):
    """A queue, and whether its contacts must be given a code."""

    queue_id: int
    code: str
    name_zh: str
    name_en: str
    is_required: bool


@router.get("/wrap-up-codes", responses=problems())
def list_codes(_identity: Reader, session: DbSession) -> list[WrapUpCodeOut]:
    """The codes in use, groups first."""
    return [WrapUpCodeOut.model_validate(row) for row in wrap_up.codes(session)]


@router.get("/wrap-up-queues", responses=problems())
def list_queues(_identity: Keeper, session: DbSession) -> list[QueueWrapUpOut]:
    """The queues, and which of them ask for a code."""
    return [
        QueueWrapUpOut(
            queue_id=queue.id, code=queue.code, name_zh=queue.name_zh, name_en=queue.name_en, is_required=required
        )
        for queue, required in wrap_up.queues(session)
    ]


@router.put("/wrap-up-queues/{queue_id}", status_code=204, responses=problems(404))
def demand(queue_id: RowId, body: QueueWrapUpIn, identity: Keeper, session: DbSession, origin: From) -> None:
    """Say whether the contacts of a queue must be given a code."""
    wrap_up.demand(session, actor=identity.actor, queue_id=queue_id, required=body.is_required, origin=origin)
