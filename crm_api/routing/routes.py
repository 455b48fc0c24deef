"""One's own phone, how the queues stand, and what a supervisor may do about it."""

import re
from typing import Annotated

from fastapi import APIRouter, Path, Response

from crm_api.audit.service import record
from crm_api.errors import NotAllowedError, NotFoundError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.routing import live, phones, supervision
from crm_api.routing.schemas import (
    AgentNowOut,
    CredentialsOut,
    DialIn,
    ForcePauseIn,
    ListenIn,
    LiveOut,
    OrderOut,
    PhoneOut,
    WishIn,
)
from crm_api.routing.service import list_routings
from crm_api.web.dependencies import DbSession, From, Web, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent

router = APIRouter(prefix="/api/v1", tags=["telephony"])
Speaker = Annotated[Identity, requires(Permission.PHONE_USE)]
Reader = Annotated[Identity, requires(Permission.TELEPHONY_READ)]
Supervisor = Annotated[Identity, requires(Permission.TELEPHONY_SUPERVISE)]
AgentCode = Annotated[str, Path(min_length=1, max_length=60, pattern=r"^[\w.-]+$", examples=["7001"])]


@router.get("/phone", responses=problems(404))
def own_phone(identity: Speaker, session: DbSession) -> PhoneOut:
    """The caller's phone, its queues and the state they are in."""
    phone = phones.own_phone(session, identity.user_id)
    is_there = phones.is_there(session)
    state = phones.state_of(session, phone.agent.id) if is_there else None
    return PhoneOut(
        agent=phone.agent.code,
        kind=phone.endpoint.kind,
        queues=list(phone.queues),
        wrap_up={one.queue.code: one.routing.wrap_up_seconds for one in list_routings(session)},
        is_there=is_there,
        state=state.state if state else None,
        since=state.started_at if state else None,
        pause_reason=state.pause_reason if state else None,
    )


@router.post("/phone/credentials", responses=problems(404, 409))
def credentials(
    identity: Speaker, session: DbSession, settings: Web, origin: From, response: Response
) -> CredentialsOut:
    """The secret of the caller's own browser phone: to a signed-in browser only, never to a token; audited."""
    if identity.via != "session":
        raise NotAllowedError("A phone's secret is given to a signed-in browser only.", "Sign in.")
    phone = phones.own_phone(session, identity.user_id)
    if phone.endpoint.kind != "webrtc" or not settings.phone_socket:
        raise NotFoundError("Your phone is not in the browser.", "Use the phone on your desk.")
    record(session, "phone.credentials", actor=identity.actor, subject=("agent", phone.agent.id), origin=origin)
    response.headers["Cache-Control"] = "no-store"
    return CredentialsOut(agent=phone.agent.code, secret=phone.endpoint.secret, socket=settings.phone_socket)


@router.put("/phone/state", status_code=202, responses=problems(404, 422, 503))
def ask_state(body: WishIn, identity: Speaker, session: DbSession) -> OrderOut:
    """Be available, pause for a reason, or log out."""
    phones.check_wish(body.state, body.reason)
    phone = phones.own_phone(session, identity.user_id)
    key = phones.order(
        session,
        by=identity.actor.username,
        action="state",
        agent=phone.agent.code,
        state=body.state,
        reason=body.reason,
    )
    return OrderOut(key=key)


@router.post("/phone/calls", status_code=202, response_model=OrderOut, responses=problems(404, 409, 422, 503))
def dial(body: DialIn, identity: Speaker, session: DbSession, origin: From, once: Idempotent) -> Response:
    """Call a number: the caller's own phone rings first (a phone in the browser dials by itself)."""

    def produce() -> OrderOut:
        phone = phones.own_phone(session, identity.user_id)
        record(session, "phone.dialled", actor=identity.actor, subject=("agent", phone.agent.id), origin=origin)
        number = re.sub(r"[^0-9+]", "", body.number)
        key = phones.order(session, by=identity.actor.username, action="dial", agent=phone.agent.code, number=number)
        return OrderOut(key=key)

    return once.run(produce, status=202)


@router.get("/telephony/live")
def live_figures(identity: Reader, session: DbSession) -> LiveOut:
    """How the province's queues and agents stand now; everything is NULL while nobody knows."""
    if not identity.actor.is_province:
        raise NotAllowedError("The queues are the province's.", "Ask a supervisor of the province.")
    return LiveOut.model_validate(live.figures(session))


@router.get("/telephony/agents")
def agents(identity: Supervisor, session: DbSession) -> list[AgentNowOut]:
    """Who is logged in, in which state since when."""
    return [AgentNowOut.model_validate(one) for one in live.agents_now(session)]


@router.post("/telephony/agents/{code}/listen", status_code=202, responses=problems(404, 422, 503))
def listen(code: AgentCode, body: ListenIn, identity: Supervisor, session: DbSession, origin: From) -> OrderOut:
    """Join an agent's call from one's own phone: unheard, heard by the agent only, or by both; audited."""
    return OrderOut(key=supervision.join(session, identity=identity, code=code, mode=body.mode, origin=origin))


@router.post("/telephony/agents/{code}/pause", status_code=202, responses=problems(404, 422, 503))
def force_pause(
    code: AgentCode, body: ForcePauseIn, identity: Supervisor, session: DbSession, origin: From
) -> OrderOut:
    """Pause an agent (a call in progress goes on); audited with the reason."""
    return OrderOut(
        key=supervision.force_pause(session, identity=identity, code=code, reason=body.reason, origin=origin)
    )
