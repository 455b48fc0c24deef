"""Duplicates of a customer, merging and undoing."""

from typing import Annotated

from fastapi import APIRouter, Response
from sqlalchemy import select

from crm_api.customers import merging
from crm_api.customers.duplicates import candidates_for
from crm_api.customers.models import CustomerMerge
from crm_api.customers.schemas import DuplicateOut, MergeIn, MergeOut, customer_out
from crm_api.customers.service import get_customer
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent

router = APIRouter(prefix="/api/v1", tags=["customers"])
Reader = Annotated[Identity, requires(Permission.CUSTOMER_READ)]
Merger = Annotated[Identity, requires(Permission.CUSTOMER_MERGE)]


@router.get("/customers/{customer_id}/duplicates", responses=problems(404))
def list_duplicates(customer_id: RowId, identity: Reader, session: DbSession) -> list[DuplicateOut]:
    """Customers who may be the same, with the reasons, likeliest first."""
    customer = get_customer(session, customer_id, identity.actor)
    return [
        DuplicateOut.model_validate(
            {"customer": customer_out(found.customer), "reasons": found.reasons, "score": found.score}
        )
        for found in candidates_for(session, customer, identity.actor)
    ]


@router.get("/customers/{customer_id}/merges", responses=problems(404))
def list_merges(customer_id: RowId, identity: Reader, session: DbSession) -> list[MergeOut]:
    """What was merged into this customer, newest first."""
    customer = get_customer(session, customer_id, identity.actor)
    statement = select(CustomerMerge).where(CustomerMerge.survivor_id == customer.id)
    rows = session.scalars(statement.order_by(CustomerMerge.id.desc()).limit(200))
    return [MergeOut.model_validate(row) for row in rows]


@router.post("/customers/{customer_id}/merges", status_code=201, response_model=MergeOut, responses=problems(404, 409))
def merge_customers(
    customer_id: RowId, body: MergeIn, identity: Merger, session: DbSession, origin: From, once: Idempotent
) -> Response:
    """Merge another customer into this one, who survives; it can be undone."""

    def produce() -> MergeOut:
        row = merging.merge(
            session,
            survivor_id=customer_id,
            merged_id=body.merged_id,
            reason=body.reason,
            actor=identity.actor,
            origin=origin,
        )
        return MergeOut.model_validate(row)

    return once.run(produce)


@router.post("/merges/{merge_id}/undo", responses=problems(404, 409))
def undo_merge(merge_id: RowId, identity: Merger, session: DbSession, origin: From) -> MergeOut:
    """Undo a merge; what came since stays with the survivor."""
    return MergeOut.model_validate(merging.undo(session, merge_id, actor=identity.actor, origin=origin))
