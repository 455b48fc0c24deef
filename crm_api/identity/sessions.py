"""Server-side sessions and API tokens: opened, recognised, ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core.actor import Actor, Role, UnitKind
from core.time import utc_now
from crm_api.identity.models import ApiToken, User, UserSession
from crm_api.identity.permissions import Permission, permissions_of
from crm_api.identity.secrets import csrf_token, digest, new_token
from crm_api.web.settings import WebSettings

_SEEN_STEP = timedelta(minutes=1)


@dataclass(frozen=True)
class Identity:
    """Who calls: the user, the actor they are for services, and what they may do."""

    user_id: int
    actor: Actor
    display_name: str
    language: str
    permissions: frozenset[Permission]
    via: Literal["session", "token"]
    credential_id: int
    csrf: str | None = None
    must_change_password: bool = False

    def may(self, permission: Permission) -> bool:
        """Whether the caller holds `permission`."""
        return permission in self.permissions


def actor_of(user: User) -> Actor:
    """The user as services know them."""
    unit = user.unit
    city = {"province": None, "city": unit.id, "county": unit.parent_id}[unit.kind]
    # The columns' check constraints hold the same names as the types.
    role, kind = cast(Role, user.role), cast(UnitKind, unit.kind)
    return Actor(username=user.username, role=role, unit_id=unit.id, unit_kind=kind, city_unit_id=city)


def open_session(
    session: Session, user: User, settings: WebSettings, *, address: str | None, user_agent: str | None
) -> tuple[str, UserSession]:
    """Sign `user` in: the cookie's token (known to nobody else, not stored) and the session's row."""
    token, now = new_token(), utc_now()
    row = UserSession(
        token_hash=digest(token),
        user_id=user.id,
        created_at=now,
        seen_at=now,
        expires_at=now + timedelta(hours=settings.session_hours),
        address=address,
        user_agent=(user_agent or "")[:200] or None,
    )
    session.add(row)
    user.last_login_at = now
    session.flush()
    return token, row


def _still_holds(row: UserSession, now: datetime, settings: WebSettings) -> bool:
    idle = timedelta(minutes=settings.session_idle_minutes)
    return row.revoked_at is None and now < row.expires_at and now - row.seen_at < idle


def identify_session(session: Session, token: str, settings: WebSettings) -> Identity | None:
    """Who holds this cookie; None if the session ended, was idle too long, or its user was switched off."""
    now = utc_now()
    found = session.execute(
        select(UserSession, User)
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.token_hash == digest(token))
    ).one_or_none()
    if found is None:
        return None
    row, user = found
    if not user.is_active or not _still_holds(row, now, settings):
        return None
    if now - row.seen_at >= _SEEN_STEP:
        row.seen_at = now
    granted = permissions_of(actor_of(user).role)
    return Identity(
        user_id=user.id,
        actor=actor_of(user),
        display_name=user.display_name,
        language=user.language,
        # Whoever carries a password that somebody else knows may do nothing but replace it.
        permissions=granted & {Permission.SELF} if user.must_change_password else granted,
        via="session",
        credential_id=row.id,
        csrf=csrf_token(token),
        must_change_password=user.must_change_password,
    )


def identify_token(session: Session, token: str) -> Identity | None:
    """Who holds this API token; None if it is unknown, revoked, expired, or its owner was switched off."""
    now = utc_now()
    found = session.execute(
        select(ApiToken, User)
        .join(User, User.id == ApiToken.user_id)
        .where(
            ApiToken.token_hash == digest(token),
            ApiToken.revoked_at.is_(None),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
            User.is_active,
        )
    ).one_or_none()
    if found is None:
        return None
    row, user = found
    if row.last_used_at is None or now - row.last_used_at >= _SEEN_STEP:
        row.last_used_at = now
    actor = actor_of(user)
    return Identity(
        user_id=user.id,
        actor=actor,
        display_name=user.display_name,
        language=user.language,
        permissions=permissions_of(actor.role, token_scopes=frozenset(row.scopes.split())),
        via="token",
        credential_id=row.id,
    )


def end_session(session: Session, session_id: int) -> None:
    """Sign one browser out."""
    session.execute(
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.revoked_at.is_(None))
        .values(revoked_at=utc_now())
    )


def end_all(session: Session, user_id: int, *, keep: int | None = None) -> None:
    """Sign a user out everywhere (but in session `keep`) and revoke no token."""
    statement = update(UserSession).where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
    if keep is not None:
        statement = statement.where(UserSession.id != keep)
    session.execute(statement.values(revoked_at=utc_now()))


def create_token(
    session: Session, user: User, *, name: str, scopes: frozenset[Permission], expires_at: datetime | None
) -> tuple[str, ApiToken]:
    """A new API token of `user`: its text, shown this once, and its row."""
    token = f"crm_{new_token()}"
    row = ApiToken(
        user_id=user.id,
        name=name,
        hint=token[:8],
        token_hash=digest(token),
        scopes=" ".join(sorted(scopes)),
        created_at=utc_now(),
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return token, row
