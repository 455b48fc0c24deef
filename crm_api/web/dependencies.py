"""What routes ask for: the transaction, who calls and whether they may, and where the call came from."""

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Path, Request
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from core.actor import Actor
from core.database import session_scope
from crm_api.audit.service import Origin
from crm_api.errors import NotAllowedError
from crm_api.identity.permissions import Permission
from crm_api.identity.secrets import same
from crm_api.identity.sessions import Identity, identify_session, identify_token
from crm_api.web.settings import WebSettings

SESSION_COOKIE = "crm_session"
CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_MARK = "crm_permission"
_PUBLIC = "public"


def _transaction(request: Request) -> Iterator[Session]:
    with session_scope(request.app.state.engine) as session:
        yield session


#: The request's one transaction: committed before the answer is sent, rolled back on any error.
DbSession = Annotated[Session, Depends(_transaction, scope="function")]


async def web_settings(request: Request) -> WebSettings:
    """The application's settings."""
    settings: WebSettings = request.app.state.settings
    return settings


Web = Annotated[WebSettings, Depends(web_settings)]


async def request_origin(request: Request) -> Origin:
    """Where the call came from, for the audit log."""
    return Origin(
        address=request.client.host if request.client else None,
        request_id=getattr(request.state, "request_id", None),
    )


From = Annotated[Origin, Depends(request_origin)]


def check_same_origin(request: Request, settings: WebSettings) -> None:
    """NotAllowedError if a browser says that another site sent this (Origin, Sec-Fetch-Site or Referer)."""
    claimed = request.headers.get("origin") or request.headers.get("referer")
    if claimed is None:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise NotAllowedError("The request comes from another site.", "Call from this application's own pages.")
        return
    parts = urlsplit(claimed)
    if parts.netloc and parts.netloc == request.headers.get("host"):
        return
    if f"{parts.scheme}://{parts.netloc}" not in settings.allowed_origins.split():
        raise NotAllowedError("The request comes from another site.", "Name its origin in CRM_ALLOWED_ORIGINS.")


def _check_csrf(request: Request, identity: Identity, settings: WebSettings) -> None:
    if identity.via != "session" or request.method in SAFE_METHODS:
        return
    check_same_origin(request, settings)
    if not same(request.headers.get(CSRF_HEADER, ""), identity.csrf or ""):
        raise NotAllowedError(
            "The CSRF token is missing or wrong.", "Send X-CSRF-Token as GET /api/v1/session gives it."
        )


def _authenticate(request: Request, session: Session, settings: WebSettings) -> Identity | None:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme:
        return identify_token(session, credential.strip()) if scheme.lower() == "bearer" else None
    cookie = request.cookies.get(SESSION_COOKIE)
    return identify_session(session, cookie, settings) if cookie else None


def current_identity(request: Request, session: DbSession, settings: Web) -> Identity:
    """Who calls, by bearer token or session cookie; 401 if nobody, 403 if a foreign page used the cookie."""
    identity = _authenticate(request, session, settings)
    if identity is None:
        raise HTTPException(401, "Nobody is signed in.", headers={"WWW-Authenticate": 'Bearer realm="crm"'})
    _check_csrf(request, identity, settings)
    return identity


CurrentIdentity = Annotated[Identity, Depends(current_identity)]


def optional_identity(request: Request, session: DbSession, settings: Web) -> Identity | None:
    """Who calls, or nobody; for pages that send a visitor to the sign-in instead of refusing."""
    return _authenticate(request, session, settings)


def requires(permission: Permission) -> Any:
    """The dependency that a route declares its permission with; it yields the caller's Identity.

    Every route has exactly one of `requires(…)` and `public` (a test holds this).
    """

    async def guard(identity: CurrentIdentity) -> Identity:
        if not identity.may(permission):
            mend = "Replace your password first." if identity.must_change_password else ""
            raise NotAllowedError(f"Your role ({identity.actor.role}) lacks the permission {permission.value}.", mend)
        return identity

    setattr(guard, _MARK, permission)
    return Depends(guard)


async def _open() -> None:
    """No permission is needed."""


setattr(_open, _MARK, _PUBLIC)
#: Marks a route that needs no sign-in.
public = Depends(_open)


async def caller_actor(identity: CurrentIdentity) -> Actor:
    """The calling actor, for services; declare the permission beside it."""
    return identity.actor


CallingActor = Annotated[Actor, Depends(caller_actor)]


def permissions_declared(route: APIRoute) -> list[Permission | str]:
    """The permissions that a route declares, `public` among them: what the matrix test reads."""
    found: list[Permission | str] = []
    waiting = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        mark = getattr(dependant.call, _MARK, None)
        if mark is not None:
            found.append(mark)
        waiting += dependant.dependencies
    return found


#: A row's key in a path; beyond 63 bits no row can exist.
RowId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[1])]

__all__ = [
    "CSRF_HEADER",
    "SESSION_COOKIE",
    "CallingActor",
    "CurrentIdentity",
    "DbSession",
    "From",
    "RowId",
    "Web",
    "check_same_origin",
    "current_identity",
    "optional_identity",
    "permissions_declared",
    "public",
    "request_origin",
    "requires",
]
