"""Which targets apply to a ticket: the first policy, in its fixed order, all of whose conditions match."""

from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_api.contacts.models import ServiceType
from crm_api.customers.models import Customer
from crm_api.organisation.models import OrgUnit
from crm_api.sla.clocks import Clock, Terms
from crm_api.sla.models import EscalationStep, SlaPolicy
from crm_api.tickets.models import Ticket

_FILE = Path(__file__).parent / "policies.yml"


def load_default_policies(session: Session) -> int:
    """Put the delivered policies and ladder into a store that has none; the number of rows written."""
    content = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    written = 0
    if session.scalar(select(SlaPolicy.id).limit(1)) is None:
        rows = [_policy(row, order) for order, row in enumerate(content["policies"], start=1)]
        session.add_all(rows)
        written += len(rows)
    if session.scalar(select(EscalationStep.id).limit(1)) is None:
        steps = [EscalationStep(**row) for row in content["escalation_steps"]]
        session.add_all(steps)
        written += len(steps)
    session.flush()
    return written


def _policy(row: dict[str, Any], order: int) -> SlaPolicy:
    values = {name: value for name, value in row.items() if name not in ("first_response", "resolution")}
    return SlaPolicy(
        **values,
        sort_order=order * 10,
        first_response_seconds=_seconds(row["first_response"]),
        resolution_seconds=_seconds(row["resolution"]),
    )


def _seconds(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def matching_policy(session: Session, ticket: Ticket) -> SlaPolicy | None:
    """The first active policy all of whose conditions match the ticket; None if none does."""
    policies = session.scalars(
        select(SlaPolicy).where(SlaPolicy.is_active, SlaPolicy.deleted_at.is_(None)).order_by(SlaPolicy.sort_order)
    )
    facts = _facts(session, ticket)
    return next((policy for policy in policies if _matches(policy, facts)), None)


def terms_of(policy: SlaPolicy | None) -> dict[Clock, Terms]:
    """The terms of each clock that the policy has a target for."""
    if policy is None:
        return {}
    targets: dict[Clock, int | None] = {
        "first_response": policy.first_response_seconds,
        "resolution": policy.resolution_seconds,
    }
    return {
        clock: Terms(policy.code, policy.calendar_code, target)
        for clock, target in targets.items()
        if target is not None
    }


def _facts(session: Session, ticket: Ticket) -> dict[str, set[Any]]:
    """Condition -> the values that satisfy it: a type and all above it, a county and its city."""
    key_level = session.scalar(select(Customer.key_level).where(Customer.id == ticket.customer_id))
    complaint = (ticket.complaint_type_code or "").split(".")
    unit = session.get(OrgUnit, ticket.unit_id) if ticket.unit_id else None
    return {
        "service_type_code": _service_types(session, ticket.service_type_code),
        "complaint_type_code": {".".join(complaint[:level]) for level in range(1, len(complaint) + 1)},
        "product_code": {ticket.product_code},
        "channel_code": {ticket.channel_code},
        "priority": {ticket.priority},
        "is_key_customer": {key_level not in (None, "none")},
        "unit_id": {unit.id, unit.parent_id} if unit else set(),
    }


def _service_types(session: Session, code: str | None) -> set[Any]:
    found: set[Any] = set()
    while code is not None and code not in found:
        found.add(code)
        code = session.scalar(select(ServiceType.parent_code).where(ServiceType.code == code))
    return found


def _matches(policy: SlaPolicy, facts: dict[str, set[Any]]) -> bool:
    return all(getattr(policy, name) is None or getattr(policy, name) in values for name, values in facts.items())
