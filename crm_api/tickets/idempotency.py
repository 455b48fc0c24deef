"""Creating calls that may be repeated: one key, one thing made."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from core.actor import Actor
from crm_api.errors import ConflictError, InvalidError
from crm_api.tickets.loop_models import CreationKey


def digest(request: Mapping[str, Any]) -> str:
    """A fingerprint of what a call asks for."""
    plain = json.dumps(request, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def once(
    session: Session,
    *,
    actor: Actor,
    operation: str,
    key: str | None,
    request: Mapping[str, Any],
    make: Callable[[], int],
    now: datetime,
) -> int:
    """The id that `make` gave, now or when the same person used the key for the same request before.

    A call that uses the key at the same time waits for the first one's transaction and then finds what it made.

    Raises:
        ConflictError: the key was used for another request.
    """
    if key is None:
        return make()
    if not 1 <= len(key) <= 200:
        raise InvalidError(f"The idempotency key has {len(key)} characters.", "Give 1 to 200.")
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    wanted = digest(request)
    taken = session.scalar(
        insert(CreationKey)
        .values(username=actor.username, operation=operation, key=key, request_digest=wanted, created_at=now)
        .on_conflict_do_nothing(index_elements=["username", "operation", "key"])
        .returning(CreationKey.id)
    )
    if taken is not None:
        made = make()
        session.execute(update(CreationKey).where(CreationKey.id == taken).values(row_id=made))
        return made
    first = session.execute(
        select(CreationKey.request_digest, CreationKey.row_id).where(
            CreationKey.username == actor.username, CreationKey.operation == operation, CreationKey.key == key
        )
    ).one()
    if first.request_digest != wanted or first.row_id is None:
        raise ConflictError(f"The idempotency key {key!r} was used for another request.", "Make a new key.")
    return int(first.row_id)
