"""Users with their role and unit; sessions, API tokens, login throttles, sign-ins in progress at another provider."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Key, UtcDateTime
from crm_api.base import Base, one_of
from crm_api.identity.permissions import ROLES
from crm_api.organisation.models import OrgUnit


class User(Base):
    """A person (or a machine, role `system`) who uses the system in one role from one unit."""

    __tablename__ = "users"
    __table_args__ = (one_of("role", ROLES), UniqueConstraint("oidc_issuer", "oidc_subject"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    username: Mapped[str] = mapped_column(String(60), unique=True, doc="Lower case")
    display_name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(16))
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"), index=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"), doc="Their record in the workforce")
    language: Mapped[str] = mapped_column(String(8), server_default="zh-CN")
    password_hash: Mapped[str | None] = mapped_column(String(200), doc="Argon2; NULL: no sign-in by password")
    must_change_password: Mapped[bool] = mapped_column(server_default="0")
    is_active: Mapped[bool] = mapped_column(server_default="1")
    is_demo: Mapped[bool] = mapped_column(server_default="0", doc="Its password stands in the README")
    oidc_issuer: Mapped[str | None] = mapped_column(String(300))
    oidc_subject: Mapped[str | None] = mapped_column(String(300))
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    password_changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_login_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unit: Mapped[OrgUnit] = relationship(lazy="joined", innerjoin=True)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class UserSession(Base):
    """A signed-in browser; only the digest of its token is stored."""

    __tablename__ = "user_sessions"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, doc="To the minute: it decides the idle expiry")
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    address: Mapped[str | None] = mapped_column(String(60))
    user_agent: Mapped[str | None] = mapped_column(String(200))


class ApiToken(Base):
    """A machine's key: acts as its owner, within its scopes; only the digest is stored."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    hint: Mapped[str] = mapped_column(String(12), doc="First characters, to tell tokens apart")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(String(1000), doc="Permissions, separated by blanks")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LoginThrottle(Base):
    """Failed sign-ins of one account or one address within the running window."""

    __tablename__ = "login_throttles"

    subject: Mapped[str] = mapped_column(String(200), primary_key=True, doc="account:<name> or address:<ip>")
    failures: Mapped[int]
    window_started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    blocked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OidcAttempt(Base):
    """A sign-in that waits for the OpenID provider's answer; used once."""

    __tablename__ = "oidc_attempts"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class IdempotencyKey(Base):
    """The answer that a creating call gave, so that its repetition gives the same and creates nothing."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("user_id", "operation", "key"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    operation: Mapped[str] = mapped_column(String(200), doc="Method and path")
    key: Mapped[str] = mapped_column(String(200))
    request_digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Text, doc="JSON")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
