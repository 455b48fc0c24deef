"""Signing in at an OpenID provider (authorization code with PKCE); off unless CRM_OIDC_ISSUER is set.

The provider proves who somebody is; what they may do stays with our user of that name. Nobody is created here.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from core.database import session_scope
from core.errors import CrmError
from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.identity.models import OidcAttempt, User
from crm_api.identity.secrets import digest, new_token
from crm_api.identity.sessions import actor_of
from crm_api.web.settings import WebSettings

_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
_PATIENCE_SECONDS = 10
_LIFETIME = timedelta(minutes=10)
_LEEWAY_SECONDS = 60


class OidcError(CrmError):
    """The provider's answer does not prove who this is."""


class ProviderUnavailableError(CrmError):
    """The provider does not answer, or its description is wrong."""


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and the state that its cookie must bring back."""

    url: str
    state: str


@dataclass(frozen=True)
class Provider:
    """What the provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    keys: Any


def discover(settings: WebSettings) -> Provider:
    """Read the provider's description and keys; ProviderUnavailableError without them, or if they name another."""
    import httpx
    from joserfc.jwk import KeySet

    try:
        with httpx.Client(timeout=_PATIENCE_SECONDS) as client:
            found = client.get(f"{settings.oidc_issuer}/.well-known/openid-configuration").raise_for_status().json()
            keys = client.get(found["jwks_uri"]).raise_for_status().json()
        if found["issuer"].rstrip("/") != settings.oidc_issuer:
            raise ProviderUnavailableError(
                f"The provider calls itself {found['issuer']}, not {settings.oidc_issuer}.", "Correct CRM_OIDC_ISSUER."
            )
        return Provider(
            issuer=found["issuer"],
            authorization_endpoint=found["authorization_endpoint"],
            token_endpoint=found["token_endpoint"],
            keys=KeySet.import_key_set(keys),
        )
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise ProviderUnavailableError(
            f"The OpenID provider {settings.oidc_issuer} does not answer as it should.", "Try again, or use a password."
        ) from error


def _client(settings: WebSettings, redirect_url: str) -> Any:
    from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]  # has no types

    return OAuth2Client(
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value() or None,
        token_endpoint_auth_method="client_secret_basic" if settings.oidc_client_secret.get_secret_value() else "none",
        scope="openid profile email",
        redirect_uri=redirect_url,
        code_challenge_method="S256",
        timeout=_PATIENCE_SECONDS,
    )


def begin(session: Session, provider: Provider, settings: WebSettings, *, redirect_url: str) -> Begun:
    """Remember an attempt and where to send the browser."""
    state, nonce, verifier = new_token(), new_token(), new_token() + new_token()
    session.execute(delete(OidcAttempt).where(OidcAttempt.expires_at < utc_now()))
    session.add(OidcAttempt(state_hash=digest(state), nonce=nonce, verifier=verifier, expires_at=utc_now() + _LIFETIME))
    with _client(settings, redirect_url) as client:
        url, _ = client.create_authorization_url(
            provider.authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier
        )
    return Begun(url=url, state=state)


def finish(
    engine: Engine, provider: Provider, settings: WebSettings, *, state: str, code: str, redirect_url: str
) -> dict[str, Any]:
    """Exchange the code and check the identity token; its claims.

    The attempt is used up first, in a transaction of its own: no answer is accepted twice.

    Raises:
        OidcError: the attempt is unknown or over, or the token is not for us, not from them, or not of this attempt.
        ProviderUnavailableError: the provider does not answer.
    """
    import httpx
    from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]  # has no types

    with session_scope(engine) as session:
        statement = delete(OidcAttempt).where(
            OidcAttempt.state_hash == digest(state), OidcAttempt.expires_at > utc_now()
        )
        attempt = session.execute(statement.returning(OidcAttempt.nonce, OidcAttempt.verifier)).one_or_none()
    if attempt is None:
        raise OidcError("This sign-in was used before or took too long.", "Begin again.")
    try:
        with _client(settings, redirect_url) as client:
            answer = client.fetch_token(provider.token_endpoint, code=code, code_verifier=attempt.verifier)
    except httpx.HTTPError as error:
        raise ProviderUnavailableError("The OpenID provider does not answer.", "Try again.") from error
    except (AuthlibBaseError, ValueError) as error:
        raise OidcError("The provider refused the code.", "Begin again.") from error
    return _claims(provider, settings, str(answer.get("id_token", "")), attempt.nonce)


def _claims(provider: Provider, settings: WebSettings, id_token: str, nonce: str) -> dict[str, Any]:
    from joserfc import jwt
    from joserfc.errors import JoseError

    try:
        claims: dict[str, Any] = jwt.decode(id_token, provider.keys, algorithms=_ALGORITHMS).claims
        jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": provider.issuer},
            aud={"essential": True, "value": settings.oidc_client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
    except (JoseError, ValueError) as error:
        raise OidcError("The provider's identity token does not hold.", "Begin again.") from error
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != settings.oidc_client_id:
        raise OidcError("The provider's identity token is for somebody else.", "Begin again.")
    return claims


def user_of(session: Session, provider: Provider, settings: WebSettings, claims: dict[str, Any]) -> User | None:
    """Our active user whom the claims name: by subject, or at the first time by user name (then linked for good)."""
    subject = str(claims["sub"])
    known = select(User).where(User.oidc_issuer == provider.issuer, User.oidc_subject == subject)
    user = session.scalars(known).one_or_none()
    if user is None:
        name = str(claims.get(settings.oidc_username_claim, "")).strip().lower()
        unlinked = select(User).where(User.username == name, User.oidc_subject.is_(None))
        user = session.scalars(unlinked).one_or_none() if name else None
        if user is not None and user.is_active and user.role != "system":
            user.oidc_issuer, user.oidc_subject = provider.issuer, subject
            record(session, "user.linked", actor=actor_of(user), subject=("user", user.id), issuer=provider.issuer)
    return user if user is not None and user.is_active and user.role != "system" else None


def refuse(session: Session, claims: dict[str, Any] | None, origin: Origin, *, why: str) -> None:
    """Write a failed sign-in to the audit log."""
    subject = str(claims["sub"])[:60] if claims else None
    record(session, "session.refused", actor=None, username=subject, origin=origin, by="oidc", why=why)
