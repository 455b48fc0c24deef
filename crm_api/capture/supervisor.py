"""The supervisor's live floor: queues, agents, joining calls, forced pauses."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from core.i18n import texts
from crm_api.capture.forms import Sent
from crm_api.capture.pages import language_of, render
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.routing import live, outbound, supervision
from crm_api.routing.phones import phone_of
from crm_api.web.dependencies import DbSession, From, requires

router = APIRouter(include_in_schema=False)
Supervisor = Annotated[Identity, requires(Permission.TELEPHONY_SUPERVISE)]
Code = Annotated[str, Path(max_length=60, pattern=r"^[\w.-]+$")]


@router.get("/app/supervisor")
def floor(identity: Supervisor, session: DbSession, request: Request) -> Response:
    """How queues and agents stand now; the page reads itself anew every few seconds."""
    return render(
        request,
        session,
        identity,
        "supervisor.html",
        figures=live.figures(session),
        agents=live.agents_now(session),
        own=phone_of(session, identity.user_id),
        modes=supervision.MODES,
        dialler=outbound.state(session),
        language=language_of(request, identity.language),
    )


@router.post("/app/supervisor/agents/{code}/join")
def join(code: Code, identity: Supervisor, session: DbSession, origin: From, sent: Sent) -> Response:
    """Listen, whisper or barge in; the supervisor's own phone rings and answers by itself."""
    mode = sent.text("mode", longest=10) or ""
    supervision.join(session, identity=identity, code=code, mode=mode, origin=origin)
    return Response(status_code=204)


@router.post("/app/supervisor/agents/{code}/pause")
def pause(code: Code, identity: Supervisor, session: DbSession, origin: From, sent: Sent) -> Response:
    """Pause an agent, for a reason that is kept."""
    reason = sent.text("reason", longest=300)
    supervision.force_pause(session, identity=identity, code=code, reason=reason, origin=origin)
    return Response(status_code=204)


@router.post("/app/supervisor/dialler/stop")
def stop_dialling(identity: Supervisor, session: DbSession, request: Request, origin: From, sent: Sent) -> Response:
    """Emergency stop of every dialler, at once and without a question; a reason is kept if one was written."""
    told = texts("crm_api.routing", language_of(request, identity.language))
    reason = sent.text("reason", longest=300) or told("dialler.no_reason")
    outbound.stop(session, actor=identity.actor, reason=reason, origin=origin)
    return floor(identity, session, request)


@router.post("/app/supervisor/dialler/resume")
def resume_dialling(identity: Supervisor, session: DbSession, request: Request, origin: From) -> Response:
    """Dial again after a stop."""
    outbound.resume(session, actor=identity.actor, origin=origin)
    return floor(identity, session, request)
