"""The one view of a customer, read in a fixed number of queries whatever their history."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from core.actor import Actor
from crm_api.contacts.models import Contact, SurveyAnswer
from crm_api.customers.models import (
    Account,
    Consent,
    Customer,
    CustomerAddress,
    CustomerEmail,
    CustomerManager,
    CustomerPhone,
    Product,
    Subscription,
)
from crm_api.customers.schemas import (
    AccountOut,
    AddressOut,
    ConsentOut,
    ContactSummary,
    CustomerView,
    ManagerOut,
    SubscriptionOut,
    SurveySummary,
    TicketSummary,
    customer_out,
    email_out,
    phone_out,
)
from crm_api.identity.models import User
from crm_api.identity.scope import scoped
from crm_api.organisation.models import OrgUnit, Township
from crm_api.tickets.models import Ticket

_LATEST = 20


def view(session: Session, customer: Customer, actor: Actor) -> CustomerView:
    """Everything about `customer` (read within the actor's scope before) that fits one page."""
    branch = session.get(OrgUnit, customer.unit_id) if customer.unit_id else None
    contacts = _contacts(session, customer, actor)
    tickets = _tickets(session, customer, actor)
    return CustomerView(
        customer=customer_out(customer),
        branch_zh=branch.name_zh if branch else None,
        branch_en=branch.name_en if branch else None,
        account_manager=_manager(session, customer),
        phones=[phone_out(row) for row in _own(session, CustomerPhone, customer)],
        emails=[email_out(row) for row in _own(session, CustomerEmail, customer)],
        addresses=_addresses(session, customer),
        accounts=_accounts(session, customer),
        consents=[ConsentOut.model_validate(row) for row in _own(session, Consent, customer)],
        contacts=[ContactSummary.model_validate(row) for row in contacts],
        tickets=[TicketSummary.model_validate(row) for row in tickets],
        surveys=_surveys(session, contacts, tickets),
    )


def masked_phones(session: Session, customer_ids: Sequence[int]) -> dict[int, list[str]]:
    """The masked numbers of several customers, primary ones first."""
    rows = session.scalars(
        select(CustomerPhone)
        .where(CustomerPhone.customer_id.in_(customer_ids), CustomerPhone.deleted_at.is_(None))
        .order_by(CustomerPhone.is_primary.desc(), CustomerPhone.id)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        found[row.customer_id].append(phone_out(row).number)
    return found


def _own(session: Session, model: Any, customer: Customer) -> Sequence[Any]:
    statement = select(model).where(model.customer_id == customer.id, model.deleted_at.is_(None)).order_by(model.id)
    return session.scalars(statement).all()


def _manager(session: Session, customer: Customer) -> ManagerOut | None:
    statement = select(User).join(CustomerManager, CustomerManager.user_id == User.id)
    user = session.scalars(statement.where(CustomerManager.customer_id == customer.id)).one_or_none()
    return ManagerOut(username=user.username, display_name=user.display_name) if user else None


def _addresses(session: Session, customer: Customer) -> list[AddressOut]:
    statement = (
        select(CustomerAddress, Township)
        .outerjoin(Township, Township.id == CustomerAddress.township_id)
        .where(CustomerAddress.customer_id == customer.id, CustomerAddress.deleted_at.is_(None))
        .order_by(CustomerAddress.is_primary.desc(), CustomerAddress.id)
    )
    return [
        AddressOut(
            id=row.id,
            township_id=row.township_id,
            township_zh=township.name_zh if township else None,
            township_en=township.name_en if township else None,
            detail=row.detail,
            is_primary=row.is_primary,
        )
        for row, township in session.execute(statement)
    ]


def _accounts(session: Session, customer: Customer) -> list[AccountOut]:
    accounts = _own(session, Account, customer)
    statement = (
        select(Subscription, Product)
        .join(Product, Product.code == Subscription.product_code)
        .where(Subscription.account_id.in_([row.id for row in accounts]), Subscription.deleted_at.is_(None))
        .order_by(Subscription.started_at, Subscription.id)
    )
    taken: dict[int, list[SubscriptionOut]] = defaultdict(list)
    columns = [
        name for name in SubscriptionOut.model_fields if not name.startswith("product_") or name == "product_code"
    ]
    for row, product in session.execute(statement):
        plain = {name: getattr(row, name) for name in columns}
        taken[row.account_id].append(SubscriptionOut(**plain, product_zh=product.name_zh, product_en=product.name_en))
    names = [name for name in AccountOut.model_fields if name != "subscriptions"]
    return [AccountOut(**{name: getattr(row, name) for name in names}, subscriptions=taken[row.id]) for row in accounts]


def _contacts(session: Session, customer: Customer, actor: Actor) -> Sequence[Contact]:
    statement = scoped(select(Contact).where(Contact.customer_id == customer.id), actor)
    return session.scalars(statement.order_by(Contact.started_at.desc(), Contact.id.desc()).limit(_LATEST)).all()


def _tickets(session: Session, customer: Customer, actor: Actor) -> Sequence[Ticket]:
    over = case((Ticket.state.in_(("closed", "cancelled")), 1), else_=0)
    statement = scoped(select(Ticket).where(Ticket.customer_id == customer.id), actor)
    return session.scalars(statement.order_by(over, Ticket.created_at.desc(), Ticket.id.desc()).limit(_LATEST)).all()


def _surveys(session: Session, contacts: Sequence[Contact], tickets: Sequence[Ticket]) -> list[SurveySummary]:
    found: dict[int, SurveyAnswer] = {}
    for column, rows in ((SurveyAnswer.contact_id, contacts), (SurveyAnswer.ticket_id, tickets)):
        statement = select(SurveyAnswer).where(column.in_([row.id for row in rows]), SurveyAnswer.deleted_at.is_(None))
        found |= {answer.id: answer for answer in session.scalars(statement.limit(_LATEST))}
    latest = sorted(found.values(), key=lambda answer: answer.asked_at, reverse=True)[:_LATEST]
    return [SurveySummary.model_validate(answer) for answer in latest]
