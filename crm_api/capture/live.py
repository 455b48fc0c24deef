"""The shell's live line (server-sent events): who calls, which tickets moved, what somebody is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from core.actor import Actor
from core.database import session_scope
from crm_api.capture.hub import Message, hub_of
from crm_api.errors import InvalidError, NotAllowedError
from crm_api.identity.models import User
from crm_api.identity.permissions import Permission
from crm_api.identity.scope import visible_units
from crm_api.identity.sessions import Identity, identify_session, identify_token
from crm_api.routing.phones import announce
from crm_api.web.dependencies import SESSION_COOKIE, DbSession, requires
from crm_api.web.errors import problems
from crm_api.web.schemas import In, Out

router = APIRouter()
Self = Annotated[Identity, requires(Permission.SELF)]
Announcer = Annotated[Identity, requires(Permission.CONTACT_CREATE)]

#: How often a silent line says that it is alive, and how often it is checked that its session still holds.
_BEAT_SECONDS, _CHECK_SECONDS = 15.0, 30.0


class ScreenPopIn(In):
    """A call that rings at somebody's desk."""

    username: str = Field(min_length=1, max_length=60, examples=["agent"], description="Whose desk")
    number: str = Field(
        min_length=1, max_length=40, pattern=r"^[0-9+ ()\-]+$", examples=["0917-326 0000"], description="Any spelling"
    )
    contact_id: int | None = Field(default=None, ge=1, le=2**63 - 1, description="The contact, if it is known")


class ScreenPopOut(Out):
    """It was announced."""

    announced: bool = True


@router.post("/api/v1/screen-pops", status_code=202, tags=["capture"], responses=problems())
def announce_call(body: ScreenPopIn, identity: Announcer, session: DbSession) -> ScreenPopOut:
    """Show who calls on somebody's screen; telephony (a system user) for anybody, a person for themselves only."""
    if identity.actor.role != "system" and body.username.lower() != identity.actor.username:
        raise NotAllowedError("Calls are announced at one's own desk only.", "Name yourself, or use a system token.")
    known = session.scalar(select(User.id).where(User.username == body.username.lower(), User.is_active))
    if known is None:
        raise InvalidError(f"There is no user {body.username!r}.", "Name an active user.")
    announce(session, username=body.username.lower(), number=body.number, contact_id=body.contact_id)
    return ScreenPopOut()


def event_for(actor: Actor, units: frozenset[int], message: Message) -> tuple[str, dict[str, Any]] | None:
    """The event that `actor` is sent of a message; None if it is none of theirs."""
    _, topic, payload = message
    if topic in ("screen_pop", "callback", "phone"):
        return (topic, payload) if payload.get("username") == actor.username else None
    if topic == "ticket":
        if actor.is_province or payload.get("unit_id") in units:
            return topic, {"ticket_id": payload["ticket_id"], "event_number": payload["event_number"]}
        # A county's own tickets stand at its city: it hears that something moved, not what.
        return (topic, {}) if payload.get("unit_id") == actor.city_unit_id else None
    if topic == "escalation" and any(_means(actor, address) for address in payload.get("to", [])):
        return topic, {name: payload[name] for name in ("ticket_id", "code", "percent")}
    return None


def _means(actor: Actor, address: dict[str, Any]) -> bool:
    """Whether an escalation's address, an account or a role in a unit, is `actor`."""
    if address.get("username"):
        return bool(address["username"] == actor.username)
    unit = None if actor.is_province else actor.unit_id
    return bool(address.get("role") == actor.role and address.get("unit_id") == unit)


@router.get("/app/events", include_in_schema=False)
def events(
    identity: Self, session: DbSession, request: Request, seconds: Annotated[float, Query(ge=0, le=600)] = 600
) -> StreamingResponse:
    """The live line of one browser; it ends after `seconds` and the browser opens the next one."""
    units = frozenset(session.scalars(visible_units(identity.actor)))
    return StreamingResponse(
        _stream(request, identity, units, seconds),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(request: Request, identity: Identity, units: frozenset[int], seconds: float) -> AsyncIterator[str]:
    engine, began, checked = request.app.state.engine, monotonic(), monotonic()
    with hub_of(engine).subscribed() as queue:
        yield "retry: 2000\n\nevent: open\ndata: {}\n\n"
        while monotonic() - began < seconds:
            message = None
            with suppress(TimeoutError):
                message = await asyncio.wait_for(queue.get(), _BEAT_SECONDS)
            if monotonic() - checked > _CHECK_SECONDS:
                checked = monotonic()
                if not await run_in_threadpool(_still_holds, request):
                    yield "event: signed_out\ndata: {}\n\n"
                    return
            if message is None:
                yield ": still here\n\n"
                continue
            found = event_for(identity.actor, units, message)
            if found is not None:
                yield f"id: {message[0]}\nevent: {found[0]}\ndata: {json.dumps(found[1])}\n\n"


def _still_holds(request: Request) -> bool:
    with session_scope(request.app.state.engine) as session:
        return _identify(request, session) is not None


def _identify(request: Request, session: Session) -> Identity | None:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return identify_token(session, credential.strip())
    return identify_session(session, request.cookies.get(SESSION_COOKIE, ""), request.app.state.settings)
