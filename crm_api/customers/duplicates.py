"""Who may be the same customer, and why one thinks so."""

from dataclasses import dataclass
from difflib import SequenceMatcher

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from crm_api.customers.models import Customer, CustomerPhone, CustomerSearchKey
from crm_api.customers.pinyin import search_forms
from crm_api.customers.search_keys import normal_name
from crm_api.identity.scope import scoped

_SIMILAR = 0.5
_CANDIDATES = 100
#: How much each reason alone says that two are one; the identity number and the same name say it for certain.
_WEIGHTS = {"identity_number": 0.8, "phone_and_name": 0.6, "address_and_name": 0.6}


@dataclass(frozen=True)
class Duplicate:
    """A customer who may be the same; `score` from 0 to 1."""

    customer: Customer
    reasons: list[str]
    score: float


def name_similarity(left: str, right: str) -> float:
    """From 0 to 1; names that sound the same (张伟, 章伟) are at least 0.9 alike."""
    one, other = normal_name(left), normal_name(right)
    if not one or not other:
        return 0.0
    ratio = SequenceMatcher(None, one, other).ratio()
    return max(ratio, 0.9) if search_forms(one)[1] == search_forms(other)[1] else ratio


def candidates_for(session: Session, customer: Customer, actor: Actor) -> list[Duplicate]:
    """Customers within the actor's scope who may be `customer`, likeliest first."""
    found: dict[int, set[str]] = {}
    for reason, ids in (
        ("identity_number", _same_identity(session, customer)),
        ("phone_and_name", _same_phone(session, customer)),
        ("address_and_name", _same_address(session, customer)),
    ):
        for customer_id in ids:
            found.setdefault(customer_id, set()).add(reason)
    statement = scoped(select(Customer).where(Customer.id.in_(found), Customer.id != customer.id), actor)
    judged = [_judged(customer, other, found[other.id]) for other in session.scalars(statement)]
    kept = [duplicate for duplicate in judged if duplicate is not None]
    return sorted(kept, key=lambda duplicate: (-duplicate.score, duplicate.customer.id))


def _judged(customer: Customer, other: Customer, reasons: set[str]) -> Duplicate | None:
    similarity = name_similarity(customer.name or "", other.name or "")
    if similarity < _SIMILAR:
        # Families share a telephone: without a similar name it says nothing.
        reasons = reasons - {"phone_and_name"}
    if not reasons:
        return None
    doubt = 1.0
    for reason in reasons:
        doubt *= 1 - _WEIGHTS[reason]
    certain = "identity_number" in reasons and similarity == 1
    return Duplicate(other, sorted(reasons), 1.0 if certain else round((1 - doubt) * (0.5 + similarity / 2), 2))


def _same_identity(session: Session, customer: Customer) -> list[int]:
    if not customer.identity_number:
        return []
    statement = select(Customer.id).where(Customer.identity_number == customer.identity_number)
    return list(session.scalars(statement.limit(_CANDIDATES)))


def _same_phone(session: Session, customer: Customer) -> list[int]:
    own = select(CustomerPhone.e164).where(CustomerPhone.customer_id == customer.id, CustomerPhone.deleted_at.is_(None))
    statement = select(CustomerPhone.customer_id).where(CustomerPhone.e164.in_(own), CustomerPhone.deleted_at.is_(None))
    return list(session.scalars(statement.distinct().limit(_CANDIDATES)))


def _same_address(session: Session, customer: Customer) -> list[int]:
    key = session.get(CustomerSearchKey, customer.id)
    if key is None or not key.name or not key.address:
        return []
    namesakes = select(CustomerSearchKey.customer_id, CustomerSearchKey.address).where(
        CustomerSearchKey.name == key.name, CustomerSearchKey.customer_id != customer.id
    )
    lines = set(key.address.split("\n"))
    # Namesakes are thousands at most; only their addresses are read.
    rows = session.execute(namesakes.limit(20_000))
    return [customer_id for customer_id, address in rows if lines & set(address.split("\n"))][:_CANDIDATES]
