"""Users and units, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import select

from core.actor import Role
from crm_api.audit.service import record
from crm_api.errors import InvalidError
from crm_api.identity import passwords, service, sessions
from crm_api.identity.models import User
from crm_api.identity.permissions import Permission, permissions_of
from crm_api.identity.schemas import (
    PasswordResetOut,
    TokenCreated,
    TokenIn,
    UnitOut,
    UserChangeIn,
    UserCreated,
    UserIn,
    UserOut,
    token_out,
    user_out,
)
from crm_api.identity.scope import scoped
from crm_api.identity.sessions import Identity
from crm_api.organisation.models import OrgUnit
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.paging import Paging, fetch_page
from crm_api.web.schemas import Page

router = APIRouter(prefix="/api/v1", tags=["administration"])
Administrator = Annotated[Identity, requires(Permission.USER_MANAGE)]


@router.get("/units", responses=problems())
def list_units(identity: Annotated[Identity, requires(Permission.SELF)], session: DbSession) -> list[UnitOut]:
    """The units that the caller sees: the province all of them, a city itself and its counties."""
    statement = scoped(select(OrgUnit), identity.actor).order_by(OrgUnit.code)
    return [UnitOut.model_validate(unit) for unit in session.scalars(statement)]


@router.get("/users", responses=problems())
def list_users(
    identity: Administrator, session: DbSession, page: Paging, role: Annotated[Role | None, Query()] = None
) -> Page[UserOut]:
    """Users by name, of one role if asked."""
    statement = scoped(select(User), identity.actor)
    if role is not None:
        statement = statement.where(User.role == role)
    rows, cursor = fetch_page(session, statement, keys=[User.username], page=page)
    return Page(items=[user_out(row) for row in rows], next_cursor=cursor)


@router.post("/users", status_code=201, response_model=UserCreated, responses=problems(409))
def create_user(body: UserIn, identity: Administrator, session: DbSession, origin: From, once: Idempotent) -> Response:
    """A new user; without a password one is generated and shown this once. A system user gets none: it holds tokens."""
    generated = None if body.password or body.role == "system" else passwords.generate_password()

    def produce() -> UserCreated:
        user = service.create_user(
            session,
            username=body.username,
            display_name=body.display_name,
            role=body.role,
            unit=service.unit_by_code(session, body.unit_code),
            password=None if body.role == "system" else body.password or generated,
            language=body.language,
            by=identity.actor,
            origin=origin,
        )
        return UserCreated(user=user_out(user), generated_password=generated)

    return once.run(produce, secret=generated is not None)


@router.get("/users/{user_id}", responses=problems(404))
def get_user(user_id: RowId, identity: Administrator, session: DbSession) -> UserOut:
    """One user."""
    return user_out(service.get_user(session, user_id, identity.actor))


@router.patch("/users/{user_id}", responses=problems(404, 412))
def change_user(
    user_id: RowId, body: UserChangeIn, identity: Administrator, session: DbSession, origin: From
) -> UserOut:
    """Change a user; a change of role, unit or activity ends their sessions at once."""
    user = service.get_user(session, user_id, identity.actor)
    service.change_user(session, user, body.model_dump(exclude_unset=True), by=identity.actor, origin=origin)
    return user_out(user)


@router.post("/users/{user_id}/password", responses=problems(404))
def reset_password(user_id: RowId, identity: Administrator, session: DbSession, origin: From) -> PasswordResetOut:
    """Give a user a generated temporary password, shown this once; it also unlocks the account."""
    user = service.get_user(session, user_id, identity.actor)
    if user.role == "system":
        raise InvalidError("A system user has no password.", "Create an API token for it.")
    password = passwords.generate_password()
    service.set_password(session, user, password, by=identity.actor, temporary=True, origin=origin)
    return PasswordResetOut(generated_password=password)


@router.post("/users/{user_id}/tokens", status_code=201, response_model=TokenCreated, responses=problems(404, 409))
def create_system_token(
    user_id: RowId, body: TokenIn, identity: Administrator, session: DbSession, origin: From, once: Idempotent
) -> Response:
    """An API token for a system user (telephony, a form's intake); people make their own."""
    user = service.get_user(session, user_id, identity.actor)
    if user.role != "system":
        raise InvalidError(f"{user.username} is a person.", "People create their tokens themselves, at /api/v1/tokens.")
    beyond = [scope for scope in body.scopes if scope not in permissions_of("system")]
    if beyond:
        raise InvalidError(f"A system user never has {', '.join(sorted(beyond))}.", "Leave it out of the scopes.")

    def produce() -> TokenCreated:
        text, row = sessions.create_token(
            session, user, name=body.name, scopes=frozenset(body.scopes), expires_at=body.expires_at
        )
        record(
            session, "token.created", actor=identity.actor, subject=("token", row.id), origin=origin, scopes=row.scopes
        )
        return TokenCreated(token=text, details=token_out(row))

    return once.run(produce, secret=True)
