"""Which rows a person sees, decided here alone: the province all, a city its own and its counties', a county its own.

Every read starts from `scoped(select(Model), actor)`; a foreign row is then not found by construction.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_, select, true

from core.actor import Actor
from crm_api.audit.models import AuditEntry
from crm_api.base import Base
from crm_api.contacts.models import Contact
from crm_api.customers.models import Account, Consent, Customer, CustomerAddress, CustomerPhone
from crm_api.identity.models import User
from crm_api.organisation.models import OrgUnit
from crm_api.tickets.loop_models import TicketAssignment
from crm_api.tickets.models import Ticket

Rule = Callable[[Actor], ColumnElement[bool]]
S = TypeVar("S", bound=Select[Any])

_RULES: dict[type[Base], Rule] = {}


def scope_rule(model: type[Base]) -> Callable[[Rule], Rule]:
    """Register how `model`'s rows belong to units: `rule(actor)` is the condition outside the province."""

    def register(rule: Rule) -> Rule:
        _RULES[model] = rule
        return rule

    return register


def visible_units(actor: Actor) -> Select[int]:
    """Ids of the units whose rows `actor` sees."""
    units = select(OrgUnit.id)
    if actor.is_province:
        return units
    if actor.unit_kind == "city":
        return units.where(or_(OrgUnit.id == actor.unit_id, OrgUnit.parent_id == actor.unit_id))
    return units.where(OrgUnit.id == actor.unit_id)


def scoped(statement: S, actor: Actor, *, with_deleted: bool = False) -> S:
    """`statement`, narrowed to what `actor` sees; tombstones are left out unless asked for.

    Raises:
        TypeError: an entity of the statement has no scope rule (nothing is ever read unscoped by mistake).
    """
    entities = {item["entity"] for item in statement.column_descriptions}
    for entity in entities:
        if entity not in _RULES:
            raise TypeError(f"{entity} has no scope rule: add one with @scope_rule")
        if not with_deleted and hasattr(entity, "deleted_at"):
            statement = statement.where(entity.deleted_at.is_(None))
        statement = statement.where(true() if actor.is_province else _RULES[entity](actor))
    return statement


def _of_visible_customer(column: Any) -> Rule:
    def rule(actor: Actor) -> ColumnElement[bool]:
        mine = select(Customer.id).where(Customer.unit_id.in_(visible_units(actor)))
        return and_(column.in_(mine))

    return rule


@scope_rule(Customer)
def _customers(actor: Actor) -> ColumnElement[bool]:
    return Customer.unit_id.in_(visible_units(actor))


@scope_rule(Contact)
def _contacts(actor: Actor) -> ColumnElement[bool]:
    return or_(Contact.unit_id.in_(visible_units(actor)), _of_visible_customer(Contact.customer_id)(actor))


@scope_rule(Ticket)
def _tickets(actor: Actor) -> ColumnElement[bool]:
    # A county also sees what its city handed down to it, then and since.
    nested = select(TicketAssignment.ticket_id).where(TicketAssignment.unit_id.in_(visible_units(actor)))
    return or_(Ticket.unit_id.in_(visible_units(actor)), Ticket.id.in_(nested))


@scope_rule(User)
def _users(actor: Actor) -> ColumnElement[bool]:
    return User.unit_id.in_(visible_units(actor))


@scope_rule(AuditEntry)
def _audit(actor: Actor) -> ColumnElement[bool]:
    return AuditEntry.unit_id.in_(visible_units(actor))


@scope_rule(OrgUnit)
def _units(actor: Actor) -> ColumnElement[bool]:
    return OrgUnit.id.in_(visible_units(actor))


for _model in (CustomerPhone, CustomerAddress, Account, Consent):
    scope_rule(_model)(_of_visible_customer(_model.customer_id))
