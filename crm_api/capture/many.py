"""One action on many tickets of the list: tried first, then done, and taken back if it was wrong."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from crm_api.capture import names
from crm_api.capture.failures import in_words
from crm_api.capture.forms import Fields, Sent
from crm_api.capture.pages import render
from crm_api.errors import InvalidError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.tickets import bulk
from crm_api.tickets.loop_models import BulkAction
from crm_api.tickets.models import PRIORITIES
from crm_api.web.dependencies import DbSession, RowId, requires

router = APIRouter(include_in_schema=False)
Mover = Annotated[Identity, requires(Permission.TICKET_BULK)]

#: What the list offers: to the province, and to a branch.
PROVINCIAL_ACTIONS = ("dispatch", "priority", "begin_review", "approve", "cancel")
BRANCH_ACTIONS = ("accept", "start", "handler")
#: What an action needs beside the tickets.
_NEEDS = {"dispatch": "unit_id", "priority": "priority", "cancel": "reason", "handler": "handler"}


def offered(identity: Identity) -> tuple[str, ...]:
    """The actions that somebody may try on many tickets."""
    if not identity.may(Permission.TICKET_BULK):
        return ()
    return PROVINCIAL_ACTIONS if identity.actor.is_province else BRANCH_ACTIONS


@router.post("/app/tickets/bulk")
def act(identity: Mover, session: DbSession, request: Request, sent: Sent) -> Response:
    """Try the action on the chosen tickets, or (`sure`) carry it out."""
    chosen, action = sent.numbers("ticket_id"), sent.text("action", longest=20) or ""
    if action not in offered(identity):
        raise InvalidError(f"action is {action!r}.", "Choose one from the list.")
    parameters = _parameters(sent, action)
    step = "edit" if action in ("priority", "handler") else action
    given: dict[str, Any] = {"actor": identity.actor, "ticket_ids": chosen, "action": step, "parameters": parameters}
    if sent.text("sure", longest=1) != "1":
        tried = bulk.preview(session, **given)
        return _page(request, session, identity, tried, action=action, parameters=parameters, chosen=chosen)
    done, outlooks = bulk.carry_out(session, **given)
    return _page(request, session, identity, outlooks, action=action, parameters=parameters, done=done)


@router.post("/app/tickets/bulk/{bulk_id}/undo")
def undo(bulk_id: RowId, identity: Mover, session: DbSession, request: Request) -> Response:
    """Take a bulk action back; a ticket that moved on stays as it is."""
    outlooks = bulk.undo(session, actor=identity.actor, bulk_id=bulk_id)
    return _page(request, session, identity, outlooks, action="undo")


def _parameters(sent: Fields, action: str) -> dict[str, Any]:
    name = _NEEDS.get(action)
    if name is None:
        return {}
    value = sent.number(name) if name == "unit_id" else sent.text(name, longest=300)
    if value is None:
        raise InvalidError(f"{name} is missing.", "Fill it in for this action.")
    return {name: value}


def _page(
    request: Request,
    session: Session,
    identity: Identity,
    outlooks: Sequence[bulk.Outlook],
    *,
    action: str,
    parameters: dict[str, Any] | None = None,
    chosen: Sequence[int] = (),
    done: BulkAction | None = None,
) -> Response:
    unit_id = (parameters or {}).get("unit_id")
    return render(
        request,
        session,
        identity,
        "many.html",
        outlooks=in_words(request, outlooks, identity.language),
        action=action,
        parameters=parameters or {},
        unit=names.units(session, [unit_id]).get(unit_id) if unit_id else None,
        chosen=chosen,
        done=done,
        willing=sum(1 for each in outlooks if each.refusal is None),
    )


def choices(session: Session, identity: Identity) -> dict[str, Any]:
    """What the list's form of actions offers."""
    return {
        "actions": offered(identity),
        "action_units": names.cities(session) if identity.actor.is_province else [],
        "action_priorities": PRIORITIES,
    }
