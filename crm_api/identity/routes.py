"""Signing in and out, one's own password and tokens."""

import math
from typing import Annotated

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from core.time import utc_now
from crm_api.audit.service import record
from crm_api.errors import InvalidError, NotAllowedError, NotFoundError
from crm_api.identity import passwords, sessions
from crm_api.identity.models import ApiToken, User
from crm_api.identity.permissions import Permission
from crm_api.identity.schemas import (
    LoginIn,
    PasswordChangeIn,
    SessionOut,
    TokenCreated,
    TokenIn,
    TokenOut,
    session_out,
    token_out,
)
from crm_api.identity.service import log_in, set_password
from crm_api.identity.sessions import Identity
from crm_api.organisation.models import OrgUnit
from crm_api.web.dependencies import (
    SESSION_COOKIE,
    DbSession,
    From,
    RowId,
    Web,
    check_same_origin,
    public,
    requires,
)
from crm_api.web.errors import problem_response, problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.settings import WebSettings

router = APIRouter(prefix="/api/v1", tags=["identity"])
Self = Annotated[Identity, requires(Permission.SELF)]


def set_session_cookie(response: Response, request: Request, token: str, settings: WebSettings) -> None:
    """Hand the browser its session: unreadable to scripts, not sent along from other sites' forms."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=settings.session_hours * 3600,
        httponly=True,
        samesite="lax",
        secure=settings.secure_cookie or request.url.scheme == "https",
        path="/",
    )


def _session_body(session: DbSession, identity: Identity) -> SessionOut:
    actor = identity.actor
    city = session.get(OrgUnit, actor.city_unit_id) if actor.city_unit_id else None
    return session_out(identity, session.get_one(OrgUnit, actor.unit_id), city)


@router.post("/session", dependencies=[public], responses=problems())
def log_in_with_password(
    body: LoginIn, request: Request, response: Response, session: DbSession, settings: Web, origin: From
) -> SessionOut:
    """Sign in; the answer sets the session cookie. Too many failures lock the account and the address for a while."""
    check_same_origin(request, settings)
    outcome = log_in(session, username=body.username, password=body.password, settings=settings, origin=origin)
    logins = request.app.state.metrics.logins
    # Answered, not raised: the failure's count and its audit entry must be committed.
    if outcome.blocked_until is not None:
        logins.labels("throttled").inc()
        wait = math.ceil((outcome.blocked_until - utc_now()).total_seconds())
        headers = {"Retry-After": str(max(wait, 1))}
        return problem_response(  # type: ignore[return-value]  # FastAPI takes a response for a model
            request, 429, "Too many failed sign-ins.", mend="Wait, or ask an administrator.", headers=headers
        )
    if outcome.user is None:
        logins.labels("refused").inc()
        return problem_response(request, 401, "The user name or the password is wrong.")  # type: ignore[return-value]  # FastAPI takes a response for a model
    logins.labels("opened").inc()
    return open_session(request, response, session, outcome.user, settings)


def open_session(
    request: Request, response: Response, session: DbSession, user: User, settings: WebSettings
) -> SessionOut:
    """Open a session for a user who has proved who they are, and set its cookie."""
    token, _ = sessions.open_session(
        session,
        user,
        settings,
        address=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent"),
    )
    set_session_cookie(response, request, token, settings)
    identity = sessions.identify_session(session, token, settings)
    assert identity is not None  # noqa: S101 - it was opened just now
    return _session_body(session, identity)


@router.get("/session", responses=problems())
def who_am_i(identity: Self, session: DbSession) -> SessionOut:
    """Who is signed in; other services on this host ask it whether a cookie still holds."""
    return _session_body(session, identity)


@router.delete("/session", status_code=204, responses=problems())
def log_out(identity: Self, response: Response, session: DbSession, origin: From) -> None:
    """End this session; with an API token it is refused (revoke the token instead)."""
    if identity.via != "session":
        raise NotAllowedError("An API token has no session to end.", "Revoke the token instead.")
    sessions.end_session(session, identity.credential_id)
    record(session, "session.closed", actor=identity.actor, origin=origin)
    response.delete_cookie(SESSION_COOKIE, path="/")


@router.put("/session/password", status_code=204, responses=problems())
def change_own_password(
    body: PasswordChangeIn,
    identity: Self,
    request: Request,
    response: Response,
    session: DbSession,
    settings: Web,
    origin: From,
) -> None:
    """Replace one's own password; every session of the user ends and this browser gets a new one."""
    if identity.via != "session":
        raise NotAllowedError("An API token cannot change a password.", "Sign in with the old password.")
    user = session.get_one(User, identity.user_id)
    if not passwords.verify_password(user.password_hash, body.old_password):
        raise InvalidError("The old password is wrong.")
    if body.new_password == body.old_password:
        raise InvalidError("The new password is the old one.", "Choose another.")
    set_password(session, user, body.new_password, by=identity.actor, temporary=False, origin=origin)
    open_session(request, response, session, user, settings)


@router.get("/tokens", responses=problems())
def list_own_tokens(identity: Self, session: DbSession) -> list[TokenOut]:
    """One's own API tokens, newest first, without their texts."""
    rows = session.scalars(
        select(ApiToken).where(ApiToken.user_id == identity.user_id).order_by(ApiToken.id.desc()).limit(200)
    )
    return [token_out(row) for row in rows]


@router.post("/tokens", status_code=201, response_model=TokenCreated, responses=problems(409))
def create_own_token(body: TokenIn, identity: Self, session: DbSession, origin: From, once: Idempotent) -> Response:
    """A new API token of one's own; its text is shown this once."""
    missing = [scope for scope in body.scopes if scope not in identity.permissions]
    if missing:
        raise NotAllowedError(f"You lack {', '.join(sorted(missing))} yourself.", "Leave it out of the token's scopes.")

    def produce() -> TokenCreated:
        user = session.get_one(User, identity.user_id)
        text, row = sessions.create_token(
            session, user, name=body.name, scopes=frozenset(body.scopes), expires_at=body.expires_at
        )
        record(
            session, "token.created", actor=identity.actor, subject=("token", row.id), origin=origin, scopes=row.scopes
        )
        return TokenCreated(token=text, details=token_out(row))

    return once.run(produce, secret=True)


@router.delete("/tokens/{token_id}", status_code=204, responses=problems(404))
def revoke_own_token(token_id: RowId, identity: Self, session: DbSession, origin: From) -> None:
    """Revoke one's own token at once; repeating it changes nothing."""
    row = session.scalars(
        select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == identity.user_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"You have no token {token_id}.")
    if row.revoked_at is None:
        row.revoked_at = utc_now()
        record(session, "token.revoked", actor=identity.actor, subject=("token", row.id), origin=origin)
