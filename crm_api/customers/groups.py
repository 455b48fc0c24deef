"""Groups of customers: reading within scope, making, changing, who joins and who leaves."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.customers.group_models import CustomerGroup, CustomerGroupMember
from crm_api.customers.models import Customer
from crm_api.customers.service import get_customer
from crm_api.dialect import begin_writing
from crm_api.errors import ConflictError, InvalidError, NotFoundError
from crm_api.identity.models import User
from crm_api.identity.scope import scope_rule, scoped, visible_units
from crm_api.organisation.models import OrgUnit

_PRESENT = (CustomerGroupMember.left_at.is_(None), CustomerGroupMember.deleted_at.is_(None))


@scope_rule(CustomerGroup)
def _groups(actor: Actor) -> ColumnElement[bool]:
    return CustomerGroup.unit_id.in_(visible_units(actor))


def visible(actor: Actor) -> Select[CustomerGroup]:
    """The groups within the actor's scope."""
    return scoped(select(CustomerGroup), actor)


def get_group(session: Session, group_id: int, actor: Actor, *, to_change: bool = False) -> CustomerGroup:
    """One group within the actor's scope; NotFoundError otherwise.

    With `to_change` nobody else can change it until this transaction ends.
    """
    statement = visible(actor).where(CustomerGroup.id == group_id)
    if to_change:
        begin_writing(session)
        statement = statement.with_for_update()
    group = session.scalars(statement).one_or_none()
    if group is None:
        raise NotFoundError(f"There is no group of customers {group_id}.", "List them at /api/v1/customer-groups.")
    return group


def members(session: Session, groups: Sequence[int], actor: Actor) -> dict[int, list[tuple[CustomerGroupMember, Any]]]:
    """Of each group the present members whom the actor may see, with the customer, in the order of joining."""
    seen = scoped(select(Customer.id), actor)
    rows = session.execute(
        select(CustomerGroupMember, Customer)
        .join(Customer, Customer.id == CustomerGroupMember.customer_id)
        .where(CustomerGroupMember.group_id.in_(groups), Customer.id.in_(seen), *_PRESENT)
        .order_by(CustomerGroupMember.joined_at, CustomerGroupMember.id)
    )
    found: dict[int, list[tuple[CustomerGroupMember, Any]]] = {group: [] for group in groups}
    for member, customer in rows:
        found[member.group_id].append((member, customer))
    return found


def groups_of(session: Session, customer_id: int, actor: Actor) -> list[CustomerGroup]:
    """The groups within the actor's scope that a customer is in now."""
    present = select(CustomerGroupMember.group_id).where(CustomerGroupMember.customer_id == customer_id, *_PRESENT)
    return list(session.scalars(visible(actor).where(CustomerGroup.id.in_(present)).order_by(CustomerGroup.code)))


def create(
    session: Session,
    *,
    code: str,
    name: str,
    actor: Actor,
    unit_id: int | None = None,
    account_manager: str | None = None,
    origin: Origin | None = None,
) -> CustomerGroup:
    """Make a group that a unit (the actor's own unless named) looks after.

    Raises:
        ConflictError: the code is taken.
        InvalidError: the unit is beyond the actor's scope, or the manager is no user.
    """
    begin_writing(session)
    if session.scalar(select(CustomerGroup.id).where(CustomerGroup.code == code)) is not None:
        raise ConflictError(f"There is a group of customers {code!r} already.", "Take another code.")
    unit = actor.unit_id if unit_id is None else unit_id
    if session.scalar(scoped(select(OrgUnit.id), actor).where(OrgUnit.id == unit)) is None:
        raise InvalidError(f"There is no unit {unit} in your scope.", "Take one of /api/v1/units.")
    group = CustomerGroup(
        code=code, name=name, unit_id=unit, manager_id=_manager(session, account_manager), created_at=utc_now()
    )
    session.add(group)
    session.flush()
    session.refresh(group)
    _note(session, "customer_group.created", group, actor, origin)
    return group


def change(
    session: Session, group: CustomerGroup, changes: dict[str, Any], *, actor: Actor, origin: Origin | None = None
) -> None:
    """Change name, account manager, or whether it is active; everybody leaves a group that no longer is.

    Raises:
        InvalidError: the manager is no user.
    """
    before = {name: getattr(group, name) for name in changes if hasattr(group, name)}
    if "account_manager" in changes:
        group.manager_id = _manager(session, changes["account_manager"])
    for name in ("name", "is_active"):
        if changes.get(name) is not None:
            setattr(group, name, changes[name])
    if changes.get("is_active") is False:
        member = CustomerGroupMember
        session.execute(update(member).where(member.group_id == group.id, *_PRESENT).values(left_at=utc_now()))
    session.flush()
    session.refresh(group)
    _note(session, "customer_group.changed", group, actor, origin, fields=sorted(changes), before=before)


def add_member(
    session: Session, group_id: int, customer_id: int, *, actor: Actor, origin: Origin | None = None
) -> CustomerGroupMember:
    """Let a customer join from now on; both within the actor's scope.

    Raises:
        NotFoundError: there is no such group or customer in the actor's scope.
        ConflictError: the group is not active, or the customer is in it already.
    """
    group = get_group(session, group_id, actor, to_change=True)
    customer = get_customer(session, customer_id, actor, to_change=True)
    if not group.is_active:
        raise ConflictError(f"The group of customers {group.code} is not active.", "Take an active one.")
    if _present(session, group, customer.id) is not None:
        raise ConflictError(f"Customer {customer.code} is in the group {group.code} already.")
    member = CustomerGroupMember(group_id=group.id, customer_id=customer.id, joined_at=utc_now())
    session.add(member)
    session.flush()
    _note(session, "customer_group.joined", group, actor, origin, customer_id=customer.id)
    return member


def remove_member(
    session: Session, group_id: int, customer_id: int, *, actor: Actor, origin: Origin | None = None
) -> None:
    """Let a customer leave from now on; what they were stays known.

    Raises:
        NotFoundError: there is no such group or customer in the actor's scope, or the customer is not in it.
    """
    group = get_group(session, group_id, actor, to_change=True)
    customer = get_customer(session, customer_id, actor)
    member = _present(session, group, customer.id)
    if member is None:
        raise NotFoundError(f"Customer {customer.code} is not in the group {group.code}.", "Look at its members.")
    member.left_at = utc_now()
    session.flush()
    _note(session, "customer_group.left", group, actor, origin, customer_id=customer.id)


def _present(session: Session, group: CustomerGroup, customer_id: int) -> CustomerGroupMember | None:
    member = CustomerGroupMember
    return session.scalars(
        select(member).where(member.group_id == group.id, member.customer_id == customer_id, *_PRESENT)
    ).one_or_none()


def _manager(session: Session, username: str | None) -> int | None:
    if username is None:
        return None
    user_id = session.scalar(select(User.id).where(User.username == username, User.is_active))
    if user_id is None:
        raise InvalidError(f"There is no user {username!r}.", "Name an active user as account manager.")
    return user_id


def _note(
    session: Session, action: str, group: CustomerGroup, actor: Actor, origin: Origin | None, **details: Any
) -> None:
    record(session, action, actor=actor, subject=("customer_group", group.id), origin=origin, **details)
