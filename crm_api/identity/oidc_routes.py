"""Signing in at an OpenID provider: there and back."""

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from crm_api.audit.service import record
from crm_api.errors import NotFoundError
from crm_api.identity import oidc
from crm_api.identity.routes import open_session
from crm_api.identity.secrets import same
from crm_api.identity.sessions import actor_of
from crm_api.web.dependencies import DbSession, From, Web, public
from crm_api.web.errors import problem_response, problems
from crm_api.web.settings import WebSettings

router = APIRouter(prefix="/api/v1/oidc", tags=["identity"])
_COOKIE = "crm_oidc"
_PATH = "/api/v1/oidc"
_KEPT_SECONDS = 3600


def _provider(request: Request, settings: WebSettings) -> oidc.Provider:
    if not settings.oidc_enabled:
        raise NotFoundError("Sign-in at an OpenID provider is switched off.", "Sign in with a password.")
    kept = getattr(request.app.state, "oidc_provider", None)
    if kept is None or time.monotonic() - kept[1] > _KEPT_SECONDS:
        kept = (oidc.discover(settings), time.monotonic())
        request.app.state.oidc_provider = kept
    found: oidc.Provider = kept[0]
    return found


def _redirect_url(request: Request, settings: WebSettings) -> str:
    return settings.oidc_redirect_url or str(request.url_for("finish_oidc"))


@router.get("/login", status_code=303, dependencies=[public], responses=problems(404))
def begin_oidc(request: Request, session: DbSession, settings: Web) -> Response:
    """Send the browser to the provider; 404 where that is switched off."""
    try:
        provider = _provider(request, settings)
    except oidc.ProviderUnavailableError as error:
        return problem_response(request, 503, error.message, mend=error.mend, headers={"Retry-After": "10"})
    begun = oidc.begin(session, provider, settings, redirect_url=_redirect_url(request, settings))
    answer = RedirectResponse(begun.url, status_code=303)
    # Only the browser that began may finish: else somebody could be signed in as somebody else.
    answer.set_cookie(
        _COOKIE,
        begun.state,
        max_age=600,
        httponly=True,
        samesite="lax",
        secure=settings.secure_cookie or request.url.scheme == "https",
        path=_PATH,
    )
    return answer


@router.get("/callback", status_code=303, dependencies=[public], responses=problems(404))
def finish_oidc(
    request: Request,
    session: DbSession,
    settings: Web,
    origin: From,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> Response:
    """Where the provider sends the browser back to; opens a session for our user of that name."""
    claims = None
    try:
        provider = _provider(request, settings)
        if not state or not code or not same(request.cookies.get(_COOKIE, ""), state):
            raise oidc.OidcError("This browser did not begin this sign-in.", "Begin again.")
        url = _redirect_url(request, settings)
        claims = oidc.finish(request.app.state.engine, provider, settings, state=state, code=code, redirect_url=url)
        user = oidc.user_of(session, provider, settings, claims)
        if user is None:
            raise oidc.OidcError("The provider knows you, this system does not.", "Ask an administrator for a user.")
    except oidc.ProviderUnavailableError as error:
        return problem_response(request, 503, error.message, mend=error.mend, headers={"Retry-After": "10"})
    except oidc.OidcError as error:
        request.app.state.metrics.logins.labels("refused").inc()
        oidc.refuse(session, claims, origin, why=error.message)
        return problem_response(request, 401, error.message, mend=error.mend)
    request.app.state.metrics.logins.labels("opened").inc()
    record(session, "session.opened", actor=actor_of(user), origin=origin, by="oidc")
    answer = RedirectResponse("/", status_code=303)
    answer.delete_cookie(_COOKIE, path=_PATH)
    open_session(request, answer, session, user, settings)
    return answer
