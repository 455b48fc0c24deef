"""Coming and going: the sign-in, the sign-out, the home page, the reader's look, the files of the browser."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from crm_api.audit.service import record
from crm_api.bus.inbox import inbox, mark_read
from crm_api.capture import drafts
from crm_api.capture.callback_service import due_callbacks
from crm_api.capture.onward import inner, onward
from crm_api.capture.pages import (
    LANGUAGE_COOKIE,
    LOOK_COOKIE,
    LOOKS,
    PREFIX,
    SIZE_COOKIE,
    SIZES,
    render,
    render_plain,
)
from crm_api.capture.phone_library import phone_library
from crm_api.capture.queues import home_counts
from crm_api.errors import NotAllowedError
from crm_api.identity import passwords, sessions
from crm_api.identity.models import User
from crm_api.identity.permissions import Permission
from crm_api.identity.routes import open_session
from crm_api.identity.service import log_in, set_password
from crm_api.identity.sessions import Identity
from crm_api.web.dependencies import SESSION_COOKIE, DbSession, From, RowId, Web, check_same_origin, public, requires

router = APIRouter(include_in_schema=False)
Self = Annotated[Identity, requires(Permission.SELF)]
Line = Annotated[str, Form(max_length=200)]

_STATIC = Path(__file__).parent / "static"
_LIBRARIES = Path(__file__).parents[2] / "node_modules"
_FILES = {
    "app.css": (_STATIC / "app.css", "text/css"),
    "app.js": (_STATIC / "app.js", "text/javascript"),
    "phone.css": (_STATIC / "phone.css", "text/css"),
    "phone.js": (_STATIC / "phone.js", "text/javascript"),
    "phone-line.js": (_STATIC / "phone-line.js", "text/javascript"),
    "icon.svg": (_STATIC / "icon.svg", "image/svg+xml"),
    "htmx.js": (_LIBRARIES / "htmx.org" / "dist" / "htmx.min.js", "text/javascript"),
}
_YEAR = 365 * 86400


@router.get("/", dependencies=[public])
async def root() -> RedirectResponse:
    """The pages' beginning."""
    return RedirectResponse(PREFIX, status_code=303)


@router.get("/static/{name}", dependencies=[public])
async def static_file(name: str) -> Response:
    """A file that pages load; libraries lie where npm put them at set-up."""
    if name == "jssip.js":
        script = await run_in_threadpool(phone_library, _LIBRARIES)
        return Response(script, media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})
    path, kind = _FILES.get(name, (None, ""))
    if path is None:
        raise HTTPException(404, f"There is no file {name!r}.")
    if not path.exists():
        raise HTTPException(503, f"The browser library {name!r} is not installed: run make setup.")
    return FileResponse(path, media_type=kind, headers={"Cache-Control": "no-cache"})


@router.get("/sign-in", dependencies=[public])
def sign_in_page(
    request: Request,
    settings: Web,
    next: str = PREFIX,  # noqa: A002 - the address' name
    lang: str = "",
) -> Response:
    """The form; `lang` chooses its language."""
    back = inner(next, request, settings)
    if lang in ("zh-CN", "en"):
        answer: Response = RedirectResponse(f"/sign-in?next={quote(back, safe='/')}", status_code=303)
        answer.set_cookie(LANGUAGE_COOKIE, lang, max_age=_YEAR, samesite="lax", httponly=True)
        return answer
    return render_plain(request, "sign_in.html", problem=None, next=back, username="")


@router.post("/sign-in", dependencies=[public])
def sign_in(
    request: Request,
    session: DbSession,
    settings: Web,
    origin: From,
    username: Line = "",
    password: Annotated[str, Form(max_length=500)] = "",
    next: Annotated[str, Form(max_length=2000)] = PREFIX,  # noqa: A002 - the form's name
) -> Response:
    """Open a session, or show the form again with what went wrong."""
    check_same_origin(request, settings)
    back = inner(next, request, settings)
    outcome = log_in(session, username=username, password=password, settings=settings, origin=origin)
    if outcome.user is None:
        throttled = outcome.blocked_until is not None
        problem = "throttled" if throttled else "wrong"
        status = 429 if throttled else 401
        return render_plain(request, "sign_in.html", status=status, problem=problem, next=back, username=username)
    answer = onward(request, back)
    open_session(request, answer, session, outcome.user, settings)
    if LANGUAGE_COOKIE not in request.cookies:
        answer.set_cookie(LANGUAGE_COOKIE, outcome.user.language, max_age=_YEAR, samesite="lax", httponly=True)
    return answer


@router.post("/app/sign-out")
def sign_out(identity: Self, session: DbSession, origin: From) -> Response:
    """End the session and go to the sign-in."""
    if identity.via != "session":
        raise NotAllowedError("An API token has no session to end.", "Revoke the token instead.")
    sessions.end_session(session, identity.credential_id)
    record(session, "session.closed", actor=identity.actor, origin=origin)
    answer = Response(status_code=204, headers={"HX-Redirect": "/sign-in"})
    answer.delete_cookie(SESSION_COOKIE, path="/")
    return answer


@router.get("/app")
def home(identity: Self, session: DbSession, request: Request) -> Response:
    """What waits for this person: queues, callbacks, drafts, notifications."""
    if identity.must_change_password:
        return render(request, session, identity, "password.html")
    return render(
        request,
        session,
        identity,
        "home.html",
        counts=home_counts(session, identity.actor),
        callbacks=due_callbacks(session, identity.actor),
        drafts=drafts.places(session, identity.user_id),
        notes=inbox(session, actor=identity.actor, unread_only=True, limit=20),
    )


@router.post("/app/notifications/{notification_id}/read")
def read_notification(notification_id: RowId, identity: Self, session: DbSession) -> Response:
    """Tick a notification off; its line goes away."""
    mark_read(session, actor=identity.actor, notification_id=notification_id)
    return Response("", media_type="text/html")


@router.post("/app/preferences")
def preferences(
    identity: Self, request: Request, language: Line = "", look: Line = "", size: Line = "", back: Line = PREFIX
) -> Response:
    """Keep the reader's language, look and type size; the shell is drawn anew in place, so a call goes on."""
    answer = Response(status_code=204)
    for cookie, value, values in (
        (LANGUAGE_COOKIE, language, ("zh-CN", "en")),
        (LOOK_COOKIE, look, LOOKS),
        (SIZE_COOKIE, size, SIZES),
    ):
        if value in values:
            answer.set_cookie(cookie, value, max_age=_YEAR, samesite="lax", httponly=True)
    answer.headers["HX-Trigger"] = "shell-changed"
    return answer


@router.post("/app/password")
def change_password(
    identity: Self,
    request: Request,
    session: DbSession,
    settings: Web,
    origin: From,
    old_password: Annotated[str, Form(max_length=500)] = "",
    new_password: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Replace one's own password; every other session ends."""
    if identity.via != "session":
        raise NotAllowedError("An API token cannot change a password.", "Sign in with the old password.")
    user = session.get_one(User, identity.user_id)
    if not passwords.verify_password(user.password_hash, old_password) or new_password == old_password:
        raise NotAllowedError("The old password is wrong, or the new one is the same.", "Type both again.")
    set_password(session, user, new_password, by=identity.actor, temporary=False, origin=origin)
    answer = Response(status_code=204, headers={"HX-Redirect": PREFIX})
    open_session(request, answer, session, user, settings)
    return answer
