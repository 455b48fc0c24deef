"""What a ticket may name: customers and contacts within the sight of who names them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from crm_api.contacts.models import Contact
from crm_api.customers.models import Customer
from crm_api.errors import InvalidError
from crm_api.identity.scope import scoped


def own_references(session: Session, actor: Actor, values: Mapping[str, Any]) -> None:
    """InvalidError for a customer or contact beyond the actor's scope, in the words for one that does not exist."""
    for name, model in (("customer_id", Customer), ("contact_id", Contact)):
        key = values.get(name)
        if key is not None and session.scalar(scoped(select(model.id).where(model.id == key), actor)) is None:
            raise InvalidError(f"{name} is {key!r}, which does not exist.")
