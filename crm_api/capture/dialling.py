"""Click to dial from the pages: a customer's number, a promised call. The browser never learns the number."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_api.capture.models import Callback
from crm_api.customers.models import CustomerPhone
from crm_api.customers.service import get_customer
from crm_api.errors import InvalidError, NotFoundError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.routing import phones
from crm_api.web.dependencies import DbSession, From, RowId, requires

router = APIRouter(include_in_schema=False)
Speaker = Annotated[Identity, requires(Permission.PHONE_USE)]


@router.post("/app/customers/{customer_id}/phones/{phone_id}/call")
def call_customer(customer_id: RowId, phone_id: RowId, identity: Speaker, session: DbSession, origin: From) -> Response:
    """Call a customer's number from one's own phone, which rings first."""
    customer = get_customer(session, customer_id, identity.actor)
    row = session.get(CustomerPhone, phone_id)
    if row is None or row.customer_id != customer.id or row.deleted_at is not None:
        raise NotFoundError(f"The customer has no number {phone_id}.")
    if row.do_not_call:
        raise InvalidError("The customer wants no calls on this number.", "Choose another number, or write.")
    phones.call(session, identity=identity, number=row.e164, subject=("customer", customer.id), origin=origin)
    return Response(status_code=204)


@router.post("/app/callbacks/{callback_id}/call")
def call_back(callback_id: RowId, identity: Speaker, session: DbSession, origin: From) -> Response:
    """Make a call that one promised, from one's own phone, which rings first."""
    row = session.get(Callback, callback_id)
    if row is None or row.username != identity.actor.username or row.done_at is not None:
        raise NotFoundError(f"There is no open callback {callback_id}.")
    number = row.number or _first_number(session, row.customer_id)
    if number is None:
        raise InvalidError("The callback has no number.", "Look the customer up.")
    phones.call(session, identity=identity, number=number, subject=("callback", row.id), origin=origin)
    return Response(status_code=204)


def _first_number(session: Session, customer_id: int | None) -> str | None:
    """The customer's number to call: the primary one, else the oldest; None if every one refuses calls."""
    return session.scalars(
        select(CustomerPhone.e164)
        .where(
            CustomerPhone.customer_id == customer_id,
            CustomerPhone.deleted_at.is_(None),
            CustomerPhone.do_not_call.is_(False),
        )
        .order_by(CustomerPhone.is_primary.desc(), CustomerPhone.id)
    ).first()
