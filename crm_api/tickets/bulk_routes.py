"""One action on many tickets: previewed, applied, taken back; and what waits for the province to be applied."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Response

from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.tickets import bulk, proposals
from crm_api.tickets.loop_models import BulkAction
from crm_api.tickets.work_schemas import BulkIn, BulkOut, OutlookOut, ProposalOut
from crm_api.web.dependencies import DbSession, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent

router = APIRouter(prefix="/api/v1/bulk-actions", tags=["bulk actions"])
ROUTERS = (router,)
Mover = Annotated[Identity, requires(Permission.TICKET_BULK)]


def _body(row: BulkAction, outlooks: Sequence[bulk.Outlook]) -> BulkOut:
    plain = {name: getattr(row, name) for name in BulkOut.model_fields if name != "tickets"}
    return BulkOut(**plain, tickets=[OutlookOut.model_validate(each) for each in outlooks])


@router.post("/preview", responses=problems(409))
def preview(body: BulkIn, identity: Mover, session: DbSession) -> list[OutlookOut]:
    """What the action would do to each ticket; nothing is changed."""
    found = bulk.preview(
        session,
        actor=identity.actor,
        ticket_ids=body.ticket_ids,
        action=body.action,
        parameters=body.parameters.model_dump(exclude_unset=True),
    )
    return [OutlookOut.model_validate(each) for each in found]


@router.post("", status_code=201, response_model=BulkOut, responses=problems(409))
def apply(body: BulkIn, identity: Mover, session: DbSession, once: Idempotent) -> Response:
    """Do it to each ticket that allows it; one that refuses keeps its refusal and holds nobody back."""

    def produce() -> BulkOut:
        row, outlooks = bulk.carry_out(
            session,
            actor=identity.actor,
            ticket_ids=body.ticket_ids,
            action=body.action,
            parameters=body.parameters.model_dump(exclude_unset=True),
        )
        return _body(row, outlooks)

    return once.run(produce)


@router.get("/proposals", responses=problems())
def list_proposals(identity: Mover, session: DbSession) -> list[ProposalOut]:
    """The actions that wait for the province; a branch has none."""
    return [
        ProposalOut(
            id=row.id,
            action=row.action,
            parent_id=row.parent_id,
            created_by=row.created_by,
            created_at=row.created_at,
            ticket_ids=ticket_ids,
        )
        for row, ticket_ids in proposals.proposals(session, actor=identity.actor)
    ]


@router.post("/{bulk_id}/apply", responses=problems(404, 409))
def apply_proposal(bulk_id: RowId, identity: Mover, session: DbSession) -> BulkOut:
    """Carry out an action that was proposed."""
    return _body(*bulk.carry_out(session, actor=identity.actor, bulk_id=bulk_id))


@router.post("/{bulk_id}/undo", responses=problems(404, 409))
def undo(bulk_id: RowId, identity: Mover, session: DbSession) -> BulkOut:
    """Take one's own action back within half an hour; a ticket that moved on stays."""
    outlooks = bulk.undo(session, actor=identity.actor, bulk_id=bulk_id)
    return _body(session.get_one(BulkAction, bulk_id), outlooks)
