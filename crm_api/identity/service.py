"""Users: signing in, creating, changing; the first administrator and the demo's people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actor import BRANCH_ROLES, PROVINCIAL_ROLES, Actor, Role
from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.errors import ConflictError, InvalidError, NotFoundError
from crm_api.identity import passwords, throttle
from crm_api.identity.models import User
from crm_api.identity.scope import scoped
from crm_api.identity.sessions import actor_of, end_all
from crm_api.organisation.models import OrgUnit
from crm_api.web.settings import WebSettings

_PROVINCE_ONLY = PROVINCIAL_ROLES | {"agent", "administrator", "system"}


@dataclass(frozen=True)
class LoginOutcome:
    """What came of a sign-in: the user, or until when to wait, or neither (wrong name or password)."""

    user: User | None = None
    blocked_until: datetime | None = None


def log_in(
    session: Session, *, username: str, password: str, settings: WebSettings, origin: Origin | None = None
) -> LoginOutcome:
    """Check a name and a password, count failures, and write the audit entry; opens no session yet."""
    name, address = username.strip().lower(), origin.address if origin else None
    until = throttle.blocked_until(session, username=name, address=address, settings=settings)
    if until is not None:
        record(session, "session.throttled", actor=None, username=name[:60], origin=origin)
        return LoginOutcome(blocked_until=until)
    user = session.scalars(select(User).where(User.username == name)).one_or_none()
    usable = user is not None and user.is_active and user.role != "system"
    if not passwords.verify_password(user.password_hash if user and usable else None, password) or user is None:
        locked = throttle.record_failure(session, username=name, address=address, settings=settings)
        record(session, "session.refused", actor=None, username=name[:60], origin=origin, locked=locked)
        return LoginOutcome()
    throttle.forgive(session, name)
    if user.password_hash and passwords.needs_rehash(user.password_hash):
        user.password_hash = passwords.hash_password(password)
    record(session, "session.opened", actor=actor_of(user), origin=origin)
    return LoginOutcome(user=user)


def unit_by_code(session: Session, code: str) -> OrgUnit:
    """The unit of that code; InvalidError if there is none."""
    unit = session.scalars(select(OrgUnit).where(OrgUnit.code == code)).one_or_none()
    if unit is None:
        raise InvalidError(f"There is no unit {code!r}.", "Take a code such as province, baoji or baoji.weibin.")
    return unit


def check_role_fits(role: str, unit: OrgUnit) -> None:
    """InvalidError unless people of `role` work in units of this kind."""
    if role not in get_args(Role):
        raise InvalidError(f"There is no role {role!r}.", f"Take one of {', '.join(get_args(Role))}.")
    if role in _PROVINCE_ONLY and unit.kind != "province":
        raise InvalidError(f"The role {role} works for the province, not for {unit.code}.", "Choose the unit province.")
    if role in BRANCH_ROLES and unit.kind == "province":
        raise InvalidError(f"The role {role} works in a branch, not for the province.", "Choose a city or county.")


def create_user(
    session: Session,
    *,
    username: str,
    display_name: str,
    role: str,
    unit: OrgUnit,
    password: str | None,
    by: Actor | None,
    must_change_password: bool = True,
    is_demo: bool = False,
    language: str = "zh-CN",
    origin: Origin | None = None,
) -> User:
    """A new user; ConflictError if the name is taken, InvalidError if role and unit or the password do not fit."""
    name = username.strip().lower()
    check_role_fits(role, unit)
    if password is not None and not is_demo:
        passwords.check_policy(password, username=name)
    if session.scalar(select(func.count()).where(User.username == name)):
        raise ConflictError(f"The user name {name!r} is taken.", "Choose another.")
    user = User(
        username=name,
        display_name=display_name,
        role=role,
        unit_id=unit.id,
        unit=unit,
        language=language,
        password_hash=passwords.hash_password(password) if password is not None else None,
        must_change_password=password is not None and must_change_password,
        is_demo=is_demo,
        created_at=utc_now(),
        password_changed_at=utc_now(),
    )
    session.add(user)
    session.flush()
    record(session, "user.created", actor=by, subject=("user", user.id), origin=origin, role=role, unit=unit.code)
    return user


def get_user(session: Session, user_id: int, actor: Actor) -> User:
    """One user within the actor's scope; NotFoundError otherwise."""
    user = session.scalars(scoped(select(User).where(User.id == user_id), actor)).one_or_none()
    if user is None:
        raise NotFoundError(f"There is no user {user_id}.")
    return user


def set_password(
    session: Session, user: User, password: str, *, by: Actor, temporary: bool, origin: Origin | None = None
) -> None:
    """Give a user a new password and sign them out everywhere; a temporary one must be replaced at the next sign-in."""
    passwords.check_policy(password, username=user.username)
    user.password_hash = passwords.hash_password(password)
    user.must_change_password = temporary
    user.is_demo = False
    user.password_changed_at = utc_now()
    throttle.forgive(session, user.username)
    end_all(session, user.id)
    record(session, "user.password_set", actor=by, subject=("user", user.id), origin=origin, temporary=temporary)


def change_user(session: Session, user: User, changes: dict[str, Any], *, by: Actor, origin: Origin | None) -> None:
    """Change name, role, unit, language or whether a user may sign in; a change of rights ends their sessions.

    Raises:
        InvalidError: the role does not fit the unit, or the change would leave no administrator.
    """
    unit = unit_by_code(session, changes["unit_code"]) if "unit_code" in changes else user.unit
    role, active = changes.get("role", user.role), changes.get("is_active", user.is_active)
    check_role_fits(role, unit)
    if user.role == "administrator" and (role != "administrator" or not active):
        _keep_an_administrator(session, user)
    if (role, unit.id, active) != (user.role, user.unit_id, user.is_active):
        end_all(session, user.id)
    user.role, user.unit, user.is_active = role, unit, active
    user.display_name = changes.get("display_name", user.display_name)
    user.language = changes.get("language", user.language)
    session.flush()
    record(session, "user.changed", actor=by, subject=("user", user.id), origin=origin, fields=sorted(changes))


def _keep_an_administrator(session: Session, user: User) -> None:
    others = select(func.count()).where(User.role == "administrator", User.is_active, User.id != user.id)
    if not session.scalar(others):
        raise InvalidError(f"{user.username} is the only administrator.", "Make another one first.")


def create_administrator(session: Session) -> str | None:
    """The first administrator with a generated password, returned to be shown once; None if any user exists."""
    if session.scalar(select(func.count()).select_from(User)):
        return None
    password = passwords.generate_password()
    create_user(
        session,
        username="admin",
        display_name="管理员",
        role="administrator",
        unit=unit_by_code(session, "province"),
        password=password,
        must_change_password=False,
        by=None,
    )
    return password


#: The demo's people: user name, role, unit, name. The password of each is demo-96766-<user name>.
DEMO_USERS: tuple[tuple[str, Role, str, str], ...] = (
    ("agent", "agent", "province", "座席小王"),
    ("agent2", "agent", "province", "座席小李"),
    ("dispatcher", "dispatcher", "province", "派单员"),
    ("reviewer", "reviewer", "province", "审核员"),
    ("supervisor", "supervisor", "province", "班长"),
    ("analyst", "analyst", "province", "分析员"),
    ("manager", "manager", "province", "省公司经理"),
    ("marketing", "marketing", "province", "市场专员"),
    ("boss", "administrator", "province", "系统管理员"),
    ("baoji_handler", "branch_handler", "baoji", "宝鸡处理员"),
    ("baoji_lead", "branch_lead", "baoji", "宝鸡组长"),
    ("baoji_manager", "branch_manager", "baoji", "宝鸡经理"),
    ("baoji_analyst", "analyst", "baoji", "宝鸡分析员"),
    ("weibin_handler", "branch_handler", "baoji.weibin", "渭滨处理员"),
)


def demo_password(username: str) -> str:
    """The demo user's password, as the README lists it."""
    return f"demo-96766-{username}"


def create_demo_users(session: Session) -> int:
    """Create the demo's users that are missing; how many. For demonstrations only: their passwords are public."""
    present = set(session.scalars(select(User.username)))
    missing = [row for row in DEMO_USERS if row[0] not in present]
    for username, role, unit, name in missing:
        create_user(
            session,
            username=username,
            display_name=name,
            role=role,
            unit=unit_by_code(session, unit),
            password=demo_password(username),
            must_change_password=False,
            is_demo=True,
            by=None,
        )
    return len(missing)
