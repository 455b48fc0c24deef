"""Templates of tickets, and the checklists that they bring."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import BRANCH_ROLES, Actor
from core.time import utc_now
from crm_api.errors import InvalidError, NotAllowedError, NotFoundError
from crm_api.tickets.access import acts, hold
from crm_api.tickets.errors import WrongStateError
from crm_api.tickets.loop_models import ChecklistItem, TicketTemplate
from crm_api.tickets.models import ENDED_STATES

_FILE = Path(__file__).parent / "templates.yml"


def load_default_templates(session: Session) -> int:
    """Put the delivered templates into a store that has none; the number of rows written."""
    if session.scalar(select(TicketTemplate.code).limit(1)) is not None:
        return 0
    rows = yaml.safe_load(_FILE.read_text(encoding="utf-8"))["templates"]
    session.add_all(TicketTemplate(**row, sort_order=order) for order, row in enumerate(rows, start=1))
    session.flush()
    return len(rows)


def templates(session: Session, *, service_type_code: str | None = None) -> list[TicketTemplate]:
    """The templates of a service type, or all, in their order."""
    statement = select(TicketTemplate).order_by(TicketTemplate.sort_order)
    if service_type_code is not None:
        statement = statement.where(TicketTemplate.service_type_code == service_type_code)
    return list(session.scalars(statement))


def apply_template(
    session: Session, *, template_code: str | None, values: dict[str, Any]
) -> Callable[[int], list[ChecklistItem]]:
    """Fill what `values` leave open from a template; what makes the checklist of a ticket's id.

    Raises:
        InvalidError: there is no such template.
    """
    if template_code is None:
        return lambda _ticket_id: []
    template = session.get(TicketTemplate, template_code)
    if template is None:
        raise InvalidError(f"template_code is {template_code!r}, which does not exist.")
    for name, value in ({"service_type_code": template.service_type_code} | template.values).items():
        if values.get(name) is None:
            values[name] = value
    rows = template.checklist
    return lambda ticket_id: [ChecklistItem(ticket_id=ticket_id, **row) for row in rows]


def items(session: Session, *, ticket_id: int) -> list[ChecklistItem]:
    """The checklist of a ticket, in its order."""
    return list(
        session.scalars(select(ChecklistItem).where(ChecklistItem.ticket_id == ticket_id).order_by(ChecklistItem.id))
    )


def tick(
    session: Session, *, actor: Actor, ticket_id: int, code: str, done: bool = True, now: datetime | None = None
) -> ChecklistItem:
    """Tick an item off, or take the tick back.

    Raises:
        NotFoundError: the ticket, or the item, is not there.
        NotAllowedError: the ticket is not the actor's to work.
    """
    at = now or utc_now()
    ticket, _ = hold(session, actor=actor, ticket_id=ticket_id, now=at)
    if ticket.state in ENDED_STATES:
        raise WrongStateError(f"Ticket {ticket.code} is {ticket.state}: its checklist stays as it is.")
    sees_as_county = actor.unit_kind == "county" and actor.role in BRANCH_ROLES
    if not (acts(session, actor=actor, ticket=ticket) or sees_as_county):
        raise NotAllowedError(f"{actor.role} may not work ticket {ticket.code}.")
    item = session.scalars(
        select(ChecklistItem).where(ChecklistItem.ticket_id == ticket_id, ChecklistItem.code == code)
    ).first()
    if item is None:
        raise NotFoundError(f"The checklist of {ticket.code} has no item {code!r}.")
    item.done_by, item.done_at = (actor.username, at) if done else (None, None)
    session.flush()
    return item
