"""A token in a file, for a program beside the CRM that only measures it."""

import os
from pathlib import Path

from sqlalchemy import Engine, select, update

from core.actor import Actor
from core.database import session_scope
from core.files import write_atomically
from core.time import utc_now
from crm_api.audit.service import record
from crm_api.errors import ConflictError
from crm_api.identity.models import ApiToken, User
from crm_api.identity.permissions import Permission
from crm_api.identity.service import create_user, unit_by_code
from crm_api.identity.sessions import create_token, identify_token

#: The system user that measures; nobody signs in as one.
METRICS_USER = "prometheus"
_SCOPES = frozenset({Permission.METRICS_READ})
#: The program's own user reads it through its group.
_MODE = 0o440


def keep_metrics_token(engine: Engine, path: Path) -> bool:
    """See to it that `path` holds a token that may read /metrics and nothing else; what still holds stays.

    A new one is made if the file is away (so it is changed by deleting the file) or the store does not know what it
    holds; the former ones are revoked with it.

    Returns:
        whether a new token was written.

    Raises:
        ConflictError: the user name is a person's.
    """
    present = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    with session_scope(engine) as session:
        identity = identify_token(session, present) if present else None
        if identity is not None and identity.permissions == _SCOPES:
            return False
        province = unit_by_code(session, "province")
        by = Actor(username="command line", role="system", unit_id=province.id, unit_kind="province")
        user = session.scalars(select(User).where(User.username == METRICS_USER)).one_or_none()
        if user is None:
            user = create_user(session, username=METRICS_USER, display_name="Prometheus", role="system",
                               unit=province, password=None, by=by)  # fmt: skip
        elif user.role != "system":
            raise ConflictError(f"The user {METRICS_USER!r} is a person.", "Give that person another user name.")
        mine = (ApiToken.user_id == user.id, ApiToken.name == METRICS_USER, ApiToken.revoked_at.is_(None))
        session.execute(update(ApiToken).where(*mine).values(revoked_at=utc_now()))
        text, row = create_token(session, user, name=METRICS_USER, scopes=_SCOPES, expires_at=None)
        record(session, "token.created", actor=by, subject=("token", row.id), scopes=row.scopes)
    _write(path, text)
    return True


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    former = os.umask(0o137)
    try:
        write_atomically(path, text)
    finally:
        os.umask(former)
    path.chmod(_MODE)
