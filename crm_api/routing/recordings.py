"""Calls' recordings: linked to the contact, kept unreadable for others, encrypted if there is a key, purged by rule."""

import hashlib
import io
import os
import wave
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from cryptography.fernet import Fernet, InvalidToken
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.errors import ConfigurationError
from core.settings import get_settings
from core.time import to_local
from crm_api.audit.service import record
from crm_api.contacts.models import Call, Contact
from crm_api.customers.models import Customer
from crm_api.errors import NotFoundError
from crm_api.routing.models import Recording
from crm_api.tickets.models import ENDED_STATES, Ticket

_RULES = Path(__file__).with_name("retention.yml")
_CASES = ("open_ticket", "complaint", "key_customer", "any")
#: Bytes a second of 16-bit sound at 8 kHz, and of a WAV file's head.
_BYTES_A_SECOND, _HEAD = 16_000, 44


class RecordingSettings(BaseSettings):
    """Settings of recordings."""

    model_config = SettingsConfigDict(env_prefix="CRM_RECORDING_", extra="ignore")

    key: SecretStr = Field(default=SecretStr(""), description="Fernet key; empty: recordings are not encrypted.")


@dataclass(frozen=True)
class Rule:
    """For whom a recording is kept how many days."""

    name: str
    when: str
    days: int


@lru_cache
def rules(path: Path = _RULES) -> tuple[Rule, ...]:
    """The rules in order; ConfigurationError if the file is wrong."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        found = tuple(Rule(str(one["name"]), str(one["when"]), int(one["days"])) for one in content["rules"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.", "Mend it or restore it.") from error
    wrong = [one.name for one in found if one.when not in _CASES or one.days < 1]
    if wrong or not found or found[-1].when != "any":
        raise ConfigurationError(f"{path}: rule {wrong or 'any'} is wrong or missing.", "The last rule is for any.")
    return found


def folder() -> Path:
    """Where recordings lie; only this account may look into it."""
    path = get_settings().home / "recordings"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _cipher() -> Fernet | None:
    key = RecordingSettings().key.get_secret_value()
    if not key:
        return None
    try:
        return Fernet(key)
    except ValueError as error:
        raise ConfigurationError(
            "CRM_RECORDING_KEY is not a Fernet key.", "It is 32 bytes in URL-safe base64 (44 characters)."
        ) from error


def seconds_of(content: bytes) -> float:
    """How long a WAV file sounds; a file whose head was never completed (Asterisk was killed) by its size."""
    try:
        with wave.open(io.BytesIO(content)) as sound:
            if sound.getnframes():
                return float(sound.getnframes() / sound.getframerate())
    except (wave.Error, EOFError):
        pass
    return max(len(content) - _HEAD, 0) / _BYTES_A_SECOND


def is_over(session: Session, *, external_id: str) -> bool:
    """Whether a call is in the store and has ended there."""
    ended = select(Contact.ended_at).where(Contact.channel_code == "voice", Contact.external_id == external_id)
    return session.scalar(ended) is not None


def add(session: Session, *, external_id: str, content: bytes, now: datetime) -> Recording | None:
    """Keep a call's sound; None if its contact is not in the store yet. The same sound again changes nothing."""
    contact = session.scalars(
        select(Contact).where(Contact.channel_code == "voice", Contact.external_id == external_id)
    ).one_or_none()
    if contact is None:
        return None
    sha256 = hashlib.sha256(content).hexdigest()
    known = session.scalars(
        select(Recording).where(Recording.contact_id == contact.id, Recording.sha256 == sha256)
    ).first()
    if known is not None:
        return known
    cipher = _cipher()
    name = f"{to_local(contact.started_at):%Y/%m/%d}/{contact.id}-{sha256[:12]}.wav{'.enc' if cipher else ''}"
    _write(folder() / name, cipher.encrypt(content) if cipher else content)
    rule, kept_until = _decide(session, contact, now)
    row = Recording(
        contact_id=contact.id,
        file=name,
        is_encrypted=cipher is not None,
        seconds=seconds_of(content),
        bytes=len(content),
        sha256=sha256,
        recorded_at=contact.started_at,
        kept_until=kept_until,
        rule=rule.name,
    )
    session.add(row)
    call = session.scalars(select(Call).where(Call.contact_id == contact.id)).one_or_none()
    if call is not None:
        call.has_recording = True
    session.flush()
    return row


def _write(path: Path, content: bytes) -> None:
    for one in reversed(path.relative_to(folder()).parents):
        (folder() / one).mkdir(mode=0o700, exist_ok=True)
    temporary = path.with_suffix(".part")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def of_contact(session: Session, contact_id: int) -> list[Recording]:
    """The recordings of a contact that can still be heard, oldest first."""
    return list(
        session.scalars(
            select(Recording)
            .where(Recording.contact_id == contact_id, Recording.purged_at.is_(None), Recording.deleted_at.is_(None))
            .order_by(Recording.id)
        )
    )


def sound(recording: Recording) -> bytes:
    """The WAV file of a recording. Whoever hands it out writes the listening to the audit log.

    Raises:
        NotFoundError: it was purged, its file is gone, or it does not open with this key.
    """
    path = folder() / recording.file
    if recording.purged_at is not None or not path.is_file():
        raise NotFoundError(f"Recording {recording.id} is no longer kept.")
    content = path.read_bytes()
    if not recording.is_encrypted:
        return content
    cipher = _cipher()
    try:
        return cipher.decrypt(content) if cipher else b""
    except InvalidToken as error:
        raise NotFoundError(
            f"Recording {recording.id} does not open.", "Set the CRM_RECORDING_KEY of its day."
        ) from error


def _decide(session: Session, contact: Contact, now: datetime) -> tuple[Rule, datetime]:
    tickets = session.execute(
        select(Ticket.state, Ticket.service_type_code).where(Ticket.contact_id == contact.id)
    ).all()
    customer = session.get(Customer, contact.customer_id) if contact.customer_id else None
    holds = {
        "open_ticket": any(state not in ENDED_STATES for state, _ in tickets),
        "complaint": contact.service_type_code == "complaint" or any(kind == "complaint" for _, kind in tickets),
        "key_customer": customer is not None and customer.key_level != "none",
        "any": True,
    }
    rule = next(one for one in rules() if holds[one.when])
    # An open ticket is looked at again from now on; the others count from the call.
    begin = now if rule.when == "open_ticket" else contact.started_at
    return rule, begin + timedelta(days=rule.days)


def purge(session: Session, *, actor: Actor, now: datetime, limit: int = 500) -> int:
    """Remove the files whose days are over; the number removed. The rule is asked again for each."""
    removed = 0
    due = select(Recording).where(Recording.purged_at.is_(None), Recording.kept_until <= now)
    for row in session.scalars(due.order_by(Recording.kept_until).limit(limit)):
        rule, until = _decide(session, session.get_one(Contact, row.contact_id), now)
        if until > now:
            row.rule, row.kept_until = rule.name, until
            continue
        (folder() / row.file).unlink(missing_ok=True)
        row.purged_at = now
        record(session, "recording.purged", actor=actor, subject=("recording", row.id), rule=row.rule)
        removed += 1
    session.flush()
    return removed
