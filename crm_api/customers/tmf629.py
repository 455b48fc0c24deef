"""Customers as TM Forum's Customer Management API (TMF629 v5) tells them; the same services, other names."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field
from sqlalchemy import func, select

from crm_api.audit.service import record
from crm_api.customers.models import Account, Customer
from crm_api.customers.service import get_customer
from crm_api.customers.view import masked_phones
from crm_api.errors import InvalidError
from crm_api.identity.permissions import Permission
from crm_api.identity.scope import scoped
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.schemas import Out

BASE = "/tmf-api/customerManagement/v5"
router = APIRouter(prefix=BASE, tags=["TM Forum"])
Reader = Annotated[Identity, requires(Permission.CUSTOMER_READ)]
Fields = Annotated[
    str | None,
    Query(
        max_length=300,
        description="Attributes to answer, separated by commas; id, href, @type always",
        examples=["name,status"],
    ),
]
_ALWAYS = {"id", "href", "@type"}
_STATUS = {"active": "Approved", "left": "Terminated", "deceased": "Terminated"}


class TmfCustomer(Out):
    """A TMF629 Customer; numbers are masked."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True, extra="allow")

    id: str
    href: str
    type: str = Field(default="Customer", alias="@type")
    name: str | None = None
    status: str | None = Field(default=None, examples=["Approved"])
    statusReason: str | None = None  # noqa: N815 - TM Forum's name
    validFor: dict[str, Any] | None = None  # noqa: N815
    engagedParty: dict[str, Any] | None = None  # noqa: N815
    contactMedium: list[dict[str, Any]] | None = None  # noqa: N815
    account: list[dict[str, Any]] | None = None
    characteristic: list[dict[str, Any]] | None = None


def _attributes(session: DbSession, customers: list[Customer]) -> list[dict[str, Any]]:
    ids = [customer.id for customer in customers]
    phones = masked_phones(session, ids)
    accounts: dict[int, list[dict[str, Any]]] = {}
    for account in session.scalars(select(Account).where(Account.customer_id.in_(ids), Account.deleted_at.is_(None))):
        told = {"@type": "AccountRef", "id": str(account.id), "name": account.number}
        accounts.setdefault(account.customer_id, []).append(told)
    return [_told(customer, phones.get(customer.id, []), accounts.get(customer.id, [])) for customer in customers]


def _told(customer: Customer, phones: list[str], accounts: list[dict[str, Any]]) -> dict[str, Any]:
    valid = {"startDateTime": customer.registered_at.isoformat()}
    if customer.left_at is not None:
        valid["endDateTime"] = customer.left_at.isoformat()
    party = "Individual" if customer.kind == "person" else "Organization"
    return {
        "@type": "Customer",
        "id": str(customer.id),
        "href": f"{BASE}/customer/{customer.id}",
        "name": customer.name,
        "status": _STATUS[customer.status],
        "statusReason": customer.leave_reason,
        "validFor": valid,
        "engagedParty": {"@type": "PartyRef", "@referredType": party, "id": customer.code, "name": customer.name},
        "contactMedium": [
            {"@type": "PhoneContactMedium", "preferred": position == 0, "phoneNumber": number}
            for position, number in enumerate(phones)
        ],
        "account": accounts,
        "characteristic": [{"@type": "StringCharacteristic", "name": "keyLevel", "value": customer.key_level}],
    }


def _chosen(told: dict[str, Any], fields: str | None) -> TmfCustomer:
    if fields is None:
        return TmfCustomer.model_validate(told)
    wanted = _ALWAYS | {name.strip() for name in fields.split(",")}
    return TmfCustomer.model_validate({name: value for name, value in told.items() if name in wanted})


@router.get("/customer", response_model_exclude_none=True, responses=problems())
def list_tmf_customers(
    identity: Reader,
    session: DbSession,
    response: Response,
    offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    name: Annotated[str | None, Query(max_length=200, description="Exactly this name")] = None,
    status: Annotated[str | None, Query(max_length=20, examples=["Approved"])] = None,
    fields: Fields = None,
) -> list[TmfCustomer]:
    """Customers within the caller's scope, by id; X-Total-Count says how many there are (counted up to 10,001)."""
    statement = scoped(select(Customer), identity.actor)
    if name is not None:
        statement = statement.where(Customer.name == name)
    if status is not None:
        states = [ours for ours, theirs in _STATUS.items() if theirs == status]
        if not states:
            raise InvalidError(
                f"There is no status {status!r}.", f"Take one of {', '.join(sorted(set(_STATUS.values())))}."
            )
        statement = statement.where(Customer.status.in_(states))
    counted = statement.with_only_columns(Customer.id).limit(10_001).subquery()
    rows = list(session.scalars(statement.order_by(Customer.id).offset(offset).limit(limit)))
    response.headers["X-Total-Count"] = str(session.scalar(select(func.count()).select_from(counted)))
    response.headers["X-Result-Count"] = str(len(rows))
    return [_chosen(told, fields) for told in _attributes(session, rows)]


@router.get("/customer/{customer_id}", response_model_exclude_none=True, responses=problems(404))
def get_tmf_customer(
    customer_id: RowId, identity: Reader, session: DbSession, origin: From, fields: Fields = None
) -> TmfCustomer:
    """One customer; audited as a view of personal data."""
    customer = get_customer(session, customer_id, identity.actor)
    record(session, "customer.viewed", actor=identity.actor, subject=("customer", customer.id), origin=origin)
    return _chosen(_attributes(session, [customer])[0], fields)
