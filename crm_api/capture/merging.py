"""Duplicates of a customer: why they may be one, what a merge would move in the chosen direction, taking it back."""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from crm_api.capture import names
from crm_api.capture.customers import show_customer
from crm_api.capture.forms import Sent
from crm_api.capture.pages import render
from crm_api.customers import merging
from crm_api.customers.duplicates import candidates_for
from crm_api.customers.models import Customer, CustomerMerge
from crm_api.customers.schemas import CustomerView, customer_out
from crm_api.customers.service import get_customer
from crm_api.customers.view import masked_phones, view
from crm_api.dialect import begin_writing
from crm_api.errors import InvalidError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, From, RowId, requires

router = APIRouter(include_in_schema=False)
Reader = Annotated[Identity, requires(Permission.CUSTOMER_READ)]
Merger = Annotated[Identity, requires(Permission.CUSTOMER_MERGE)]


class _TakenBackError(Exception):
    """Ends a trial: what it wrote is rolled back."""


@dataclass(frozen=True)
class Moved:
    """What a merge would do to the rows of one table: how many go over, and how many the survivor has already."""

    table: str
    moved: int
    aside: int


@router.get("/app/customers/{customer_id}/duplicates")
def list_duplicates(customer_id: RowId, identity: Reader, session: DbSession, request: Request) -> Response:
    """Customers who may be the same, with the reasons; and what was merged into this one."""
    customer = get_customer(session, customer_id, identity.actor)
    found = candidates_for(session, customer, identity.actor)
    ids = [each.customer.id for each in found]
    merges = session.scalars(
        select(CustomerMerge)
        .where(CustomerMerge.survivor_id == customer_id)
        .order_by(CustomerMerge.id.desc())
        .limit(20)
    ).all()
    merged = {
        row.id: row for row in session.scalars(select(Customer).where(Customer.id.in_([m.merged_id for m in merges])))
    }
    return render(
        request,
        session,
        identity,
        "duplicates.html",
        customer_id=customer_id,
        found=[(each, customer_out(each.customer)) for each in found],
        phones=masked_phones(session, ids),
        units=names.units(session, [each.customer.unit_id for each in found]),
        merges=merges,
        merged=merged,
        may_merge=identity.may(Permission.CUSTOMER_MERGE),
    )


@router.post("/app/customers/{customer_id}/merge-preview")
def preview(customer_id: RowId, identity: Merger, session: DbSession, request: Request, sent: Sent) -> Response:
    """The two side by side, and what would move; `keep` names who survives."""
    get_customer(session, customer_id, identity.actor)
    survivor_id, merged_id = _direction(customer_id, sent.number("other_id"), sent.number("keep"))
    moved = outlook(session, actor=identity.actor, survivor_id=survivor_id, merged_id=merged_id)
    return render(
        request,
        session,
        identity,
        "merge.html",
        customer_id=customer_id,
        survivor=_view(session, identity.actor, survivor_id),
        merged=_view(session, identity.actor, merged_id),
        moved=moved,
    )


@router.post("/app/customers/{customer_id}/merge")
def merge(
    customer_id: RowId, identity: Merger, session: DbSession, request: Request, origin: From, sent: Sent
) -> Response:
    """Merge in the chosen direction; the survivor's page says how to take it back."""
    get_customer(session, customer_id, identity.actor)
    survivor_id, merged_id = _direction(customer_id, sent.number("other_id"), sent.number("keep"))
    reason = sent.text("reason", longest=300)
    if not reason:
        raise InvalidError("The reason is missing.", "Say why the two are one.")
    row = merging.merge(
        session, survivor_id=survivor_id, merged_id=merged_id, reason=reason, actor=identity.actor, origin=origin
    )
    return show_customer(request, session, identity, survivor_id, origin, merge=row)


@router.post("/app/merges/{merge_id}/undo")
def undo(merge_id: RowId, identity: Merger, session: DbSession, request: Request, origin: From) -> Response:
    """Take a merge back; what came since stays with the survivor."""
    row = merging.undo(session, merge_id, actor=identity.actor, origin=origin)
    return show_customer(request, session, identity, row.survivor_id, origin, merge=row)


def _direction(customer_id: int, other_id: int | None, keep: int | None) -> tuple[int, int]:
    """Who survives and who is merged."""
    if other_id is None:
        raise InvalidError("other_id is missing.", "Choose the other customer.")
    if keep not in (None, customer_id, other_id):
        raise InvalidError(f"keep is {keep}.", "Keep one of the two.")
    return (other_id, customer_id) if keep == other_id else (customer_id, other_id)


def outlook(session: Session, *, actor: Actor, survivor_id: int, merged_id: int) -> list[Moved]:
    """What a merge would move; it is really tried and rolled back, so nothing is guessed.

    Raises:
        NotFoundError: one of them is not within the actor's scope.
    """
    begin_writing(session)
    rows: dict[str, Any] = {}
    with suppress(_TakenBackError), session.begin_nested():
        tried = merging.merge(session, survivor_id=survivor_id, merged_id=merged_id, reason="preview", actor=actor)
        rows = json.loads(tried.moved)
        raise _TakenBackError
    return [Moved(table, len(each["moved"]), len(each["aside"])) for table, each in rows.items()]


def _view(session: Session, actor: Actor, customer_id: int) -> CustomerView:
    return view(session, get_customer(session, customer_id, actor), actor)
