"""Writing and reading the audit log."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.audit.models import AuditEntry


@dataclass(frozen=True)
class Origin:
    """Where a request came from; empty for the command line."""

    address: str | None = None
    request_id: str | None = None


def record(
    session: Session,
    action: str,
    *,
    actor: Actor | None,
    subject: tuple[str, object] | None = None,
    reason: str | None = None,
    username: str | None = None,
    origin: Origin | None = None,
    **details: Any,
) -> None:
    """Add one entry in the caller's transaction: the act and its record are committed together or not at all.

    Args:
        subject: (type, id) of what was acted on.
        username: who claims to act, where there is no actor (a failed sign-in).
        details: JSON values that explain the act; never personal data in clear.
    """
    where = origin or Origin()
    session.add(
        AuditEntry(
            occurred_at=utc_now(),
            action=action,
            username=actor.username if actor else username,
            role=actor.role if actor else None,
            unit_id=actor.unit_id if actor and actor.unit_id else None,
            object_type=subject[0] if subject else None,
            object_id=str(subject[1]) if subject else None,
            reason=reason,
            address=where.address,
            request_id=where.request_id,
            details=json.dumps(details, ensure_ascii=False, sort_keys=True) if details else None,
        )
    )
