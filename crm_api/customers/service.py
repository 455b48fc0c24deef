"""Customers: reading within scope, changing, revealing personal data."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.customers.models import Customer, CustomerEmail, CustomerManager, CustomerPhone
from crm_api.customers.search_keys import refresh
from crm_api.customers.search_keys import refresh_all as refresh_search_keys
from crm_api.dialect import begin_writing
from crm_api.errors import InvalidError, NotFoundError
from crm_api.identity.models import User
from crm_api.identity.scope import scoped
from crm_api.organisation.models import OrgUnit, Township
from crm_api.webhooks.service import publish

__all__ = ["change_customer", "get_customer", "refresh_search_keys", "reveal"]

REVEALABLE = ("phones", "identity_number", "emails")


def get_customer(session: Session, customer_id: int, actor: Actor, *, to_change: bool = False) -> Customer:
    """One customer within the actor's scope; NotFoundError otherwise, which names the survivor of a merge.

    With `to_change` nobody else can change it until this transaction ends.
    """
    statement = scoped(select(Customer).where(Customer.id == customer_id), actor)
    if to_change:
        begin_writing(session)
        statement = statement.with_for_update()
    customer = session.scalars(statement).one_or_none()
    if customer is not None:
        return customer
    merged = scoped(select(Customer).where(Customer.id == customer_id), actor, with_deleted=True)
    gone = session.scalars(merged).one_or_none()
    if gone is not None and gone.merged_into_id is not None:
        raise NotFoundError(f"Customer {customer_id} was merged.", f"Read customer {gone.merged_into_id} instead.")
    raise NotFoundError(f"There is no customer {customer_id}.", "Search for it by number or name.")


def reveal(
    session: Session, customer: Customer, fields: list[str], *, reason: str, actor: Actor, origin: Origin | None
) -> dict[str, Any]:
    """Personal values in clear, each reveal audited with its reason.

    Raises:
        InvalidError: a field that is not one of REVEALABLE.
    """
    unknown = [name for name in fields if name not in REVEALABLE]
    if unknown:
        raise InvalidError(f"{unknown[0]!r} cannot be revealed.", f"Name some of {', '.join(REVEALABLE)}.")
    record(
        session,
        "customer.revealed",
        actor=actor,
        subject=("customer", customer.id),
        reason=reason,
        origin=origin,
        fields=sorted(fields),
    )
    shown: dict[str, Any] = {}
    if "identity_number" in fields:
        shown["identity_number"] = customer.identity_number
    if "phones" in fields:
        shown["phones"] = _values(session, CustomerPhone.e164, CustomerPhone, customer)
    if "emails" in fields:
        shown["emails"] = _values(session, CustomerEmail.address, CustomerEmail, customer)
    return shown


def _values(session: Session, column: Any, model: Any, customer: Customer) -> dict[int, str]:
    rows = session.execute(
        select(model.id, column).where(model.customer_id == customer.id, model.deleted_at.is_(None)).order_by(model.id)
    )
    return dict(rows.all())


def change_customer(
    session: Session, customer: Customer, changes: dict[str, Any], *, actor: Actor, origin: Origin | None
) -> None:
    """Change name, key level, branch, township or account manager; the search keys follow in the same transaction.

    Raises:
        InvalidError: the unit or township is unknown or beyond the actor's scope, or the manager is no user.
    """
    before = {name: getattr(customer, name) for name in changes if hasattr(customer, name)}
    if "unit_id" in changes and not _exists(session, scoped(select(OrgUnit.id), actor), OrgUnit.id, changes["unit_id"]):
        raise InvalidError(f"There is no unit {changes['unit_id']} in your scope.", "Take one of /api/v1/units.")
    if changes.get("township_id") is not None and session.get(Township, changes["township_id"]) is None:
        raise InvalidError(f"There is no township {changes['township_id']}.")
    if "account_manager" in changes:
        _set_manager(session, customer, changes["account_manager"])
    for name in ("name", "key_level", "unit_id", "township_id"):
        if name in changes:
            setattr(customer, name, changes[name])
    session.flush()
    session.refresh(customer)
    refresh(session, [customer.id])
    personal = {"name"}
    record(
        session,
        "customer.changed",
        actor=actor,
        subject=("customer", customer.id),
        origin=origin,
        fields=sorted(changes),
        before={name: value for name, value in before.items() if name not in personal},
    )
    publish(session, "customer.changed", {"customer_id": customer.id, "fields": sorted(changes)})


def _exists(session: Session, statement: Any, column: Any, value: int | None) -> bool:
    return value is not None and session.scalar(statement.where(column == value)) is not None


def _set_manager(session: Session, customer: Customer, username: str | None) -> None:
    row = session.get(CustomerManager, customer.id)
    if username is None:
        if row is not None:
            session.delete(row)
        return
    user_id = session.scalar(select(User.id).where(User.username == username, User.is_active))
    if user_id is None:
        raise InvalidError(f"There is no user {username!r}.", "Name an active user as account manager.")
    if row is None:
        row = CustomerManager(customer_id=customer.id)
        session.add(row)
    row.user_id, row.since = user_id, utc_now()
