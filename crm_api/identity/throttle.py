"""Slowing down whoever guesses passwords: failures are counted per account and per address, in the store."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from core.time import utc_now
from crm_api.identity.models import LoginThrottle
from crm_api.web.settings import WebSettings


def _subjects(username: str, address: str | None, settings: WebSettings) -> dict[str, int]:
    subjects = {f"account:{username[:180]}": settings.login_failures}
    if address:
        subjects[f"address:{address}"] = settings.login_failures_per_address
    return subjects


def blocked_until(session: Session, *, username: str, address: str | None, settings: WebSettings) -> datetime | None:
    """When this account or address may try again; None: now. The same for names that do not exist."""
    found = (session.get(LoginThrottle, subject) for subject in _subjects(username, address, settings))
    ends = [row.blocked_until for row in found if row and row.blocked_until and row.blocked_until > utc_now()]
    return max(ends, default=None)


def record_failure(session: Session, *, username: str, address: str | None, settings: WebSettings) -> bool:
    """Count one failed sign-in; whether it locked the account or the address."""
    now = utc_now()
    window = timedelta(minutes=settings.login_window_minutes)
    locked = False
    for subject, allowed in _subjects(username, address, settings).items():
        row = session.get(LoginThrottle, subject, with_for_update=True)
        if row is None:
            row = LoginThrottle(subject=subject, failures=0, window_started_at=now)
            session.add(row)
        if now - row.window_started_at > window:
            row.failures, row.window_started_at = 0, now
        row.failures += 1
        if row.failures >= allowed:
            row.blocked_until = now + window
            row.failures, row.window_started_at = 0, now
            locked = True
    session.flush()
    return locked


def forgive(session: Session, username: str) -> None:
    """Forget the account's failures: it signed in, or an administrator reset its password."""
    session.execute(delete(LoginThrottle).where(LoginThrottle.subject == f"account:{username[:180]}"))
