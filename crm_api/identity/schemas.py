"""Bodies of the identity routes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from core.actor import Role
from core.time import require_aware
from crm_api.identity.models import ApiToken, User
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.organisation.models import OrgUnit
from crm_api.web.schemas import Code, In, Name, Out

Username = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,59}$"),
]
Password = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Language = Literal["zh-CN", "en"]
Instant = Annotated[datetime, AfterValidator(require_aware)]


class LoginIn(In):
    """A sign-in."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=120)] = Field(examples=["baoji_handler"])
    password: Password = Field(examples=["demo-96766-baoji_handler"])


class UnitOut(Out):
    """A unit of the organisation."""

    id: int
    code: str = Field(examples=["baoji"])
    kind: Literal["province", "city", "county"]
    name_zh: str = Field(examples=["宝鸡"])
    name_en: str = Field(examples=["Baoji"])


class SessionOut(Out):
    """Who is signed in, what they may do and see."""

    user_id: int
    username: str
    display_name: str
    language: Language
    role: Role
    unit: UnitOut
    city_code: str | None = Field(description="The city that they see; NULL: the whole province", examples=["baoji"])
    permissions: list[Permission]
    must_change_password: bool = Field(description="Until it is changed nothing else is allowed")
    csrf_token: str | None = Field(description="Send it as X-CSRF-Token with every change; NULL for API tokens")


def session_out(identity: Identity, unit: OrgUnit, city: OrgUnit | None) -> SessionOut:
    """The body for `identity`, whose unit is `unit` within `city`."""
    return SessionOut(
        user_id=identity.user_id,
        username=identity.actor.username,
        display_name=identity.display_name,
        language="en" if identity.language == "en" else "zh-CN",
        role=identity.actor.role,
        unit=UnitOut.model_validate(unit),
        city_code=city.code if city else None,
        permissions=sorted(identity.permissions),
        must_change_password=identity.must_change_password,
        csrf_token=identity.csrf,
    )


class PasswordChangeIn(In):
    """One's own new password."""

    old_password: Password
    new_password: Password = Field(description="At least 12 characters")


class UserOut(Out):
    """A user, as administrators see them."""

    id: int
    username: str
    display_name: str
    role: Role
    unit_code: str
    language: str
    is_active: bool
    is_demo: bool
    must_change_password: bool
    created_at: datetime
    last_login_at: datetime | None


def user_out(user: User) -> UserOut:
    """The body for `user`."""
    plain = {name: getattr(user, name) for name in UserOut.model_fields if name != "unit_code"}
    return UserOut(**plain, unit_code=user.unit.code)


class UserIn(In):
    """A new user; without a password one is generated and shown once."""

    username: Username = Field(examples=["wang.li"])
    display_name: Name = Field(examples=["王丽"])
    role: Role = Field(examples=["branch_handler"])
    unit_code: Code = Field(examples=["baoji"])
    language: Language = "zh-CN"
    password: Password | None = Field(default=None, description="Temporary: it must be replaced at the first sign-in")


class UserCreated(Out):
    """A new user and, once, the password generated for them."""

    user: UserOut
    generated_password: str | None


class UserChangeIn(In):
    """What to change; fields left out stay."""

    display_name: Name = Field(default="")
    role: Role = Field(default="agent")
    unit_code: Code = Field(default="")
    language: Language = Field(default="zh-CN")
    is_active: bool = Field(default=True)


class PasswordResetOut(Out):
    """The temporary password, shown once."""

    generated_password: str


class TokenIn(In):
    """A new API token; its scopes are permissions that its owner has."""

    name: Name = Field(examples=["web form intake"])
    scopes: list[Permission] = Field(min_length=1, max_length=40, examples=[["contact:create"]])
    expires_at: Instant | None = Field(default=None, description="NULL: until it is revoked")


class TokenOut(Out):
    """A token, without its text."""

    id: int
    name: str
    hint: str = Field(description="Its first characters")
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


def token_out(token: ApiToken) -> TokenOut:
    """The body for `token`."""
    plain = {name: getattr(token, name) for name in TokenOut.model_fields if name != "scopes"}
    return TokenOut(**plain, scopes=token.scopes.split())


class TokenCreated(Out):
    """A new token with its text, shown this once."""

    token: str
    details: TokenOut
