"""What was recorded belongs to its contact, is read by nobody else, and goes when its days are over."""

import io
import os
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, select

from core.database import session_scope
from core.settings import Settings
from crm_api.contacts.models import Call, Contact
from crm_api.errors import NotFoundError
from crm_api.routing import recordings
from crm_api.routing.ivr import telephony_actor
from crm_api.routing.models import Recording
from crm_api.tickets.models import Ticket
from telephony.recordings import collect

AT = datetime.now(UTC).replace(microsecond=0)


def _wav(seconds: float = 2) -> bytes:
    result = io.BytesIO()
    with wave.open(result, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\1\2" * int(8000 * seconds))
    return result.getvalue()


def _call(engine: Engine, key: str, **values: object) -> int:
    with session_scope(engine) as session:
        told = {"started_at": AT, "ended_at": AT, "outcome": "answered"} | values
        contact = Contact(channel_code="voice", external_id=key, **told)
        session.add(contact)
        session.flush()
        session.add(Call(contact_id=contact.id, started_at=AT))
        return contact.id


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_recording_is_linked_once_and_heard_again(
    store: Engine, home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_encrypted: bool
) -> None:
    if is_encrypted:
        monkeypatch.setenv("CRM_RECORDING_KEY", Fernet.generate_key().decode())
    contact_id = _call(store, "1.1")
    spool = tmp_path / "monitor"
    spool.mkdir()
    (spool / "1.1.wav").write_bytes(_wav())
    (spool / "9.9.wav").write_bytes(_wav())
    _call(store, "0.0")
    (spool / "0.0.wav").write_bytes(_wav()[:44])
    _call(store, "2.2", ended_at=None)
    (spool / "2.2.wav").write_bytes(_wav()[:44])
    assert collect(store, spool)["linked"] == 0, "Asterisk may still be writing"
    assert collect(store, spool, quiet_seconds=0) == {"linked": 1, "waiting": 2, "empty": 1, "purged": 0}
    assert (spool / "2.2.wav").exists(), "its caller still waits: the talk is yet to be recorded"
    long_ago = AT.timestamp() - 5 * 3600
    os.utime(spool / "2.2.wav", (long_ago, long_ago))
    assert collect(store, spool, quiet_seconds=0) == {"linked": 0, "waiting": 1, "empty": 1, "purged": 0}
    (spool / "1.1.wav").write_bytes(_wav())
    assert collect(store, spool, quiet_seconds=0)["linked"] == 1
    with session_scope(store) as session:
        row = session.scalars(select(Recording)).one()
        assert (row.contact_id, row.seconds, row.is_encrypted) == (contact_id, 2.0, is_encrypted)
        assert session.scalars(select(Call.has_recording).order_by(Call.id)).all() == [True, False, False]
        path = recordings.folder() / row.file
        assert oct(path.stat().st_mode & 0o777) == "0o600"
        assert oct(path.parent.stat().st_mode & 0o777) == "0o700"
        assert (path.read_bytes() == _wav()) is not is_encrypted
        assert recordings.sound(row) == _wav()
        if is_encrypted:
            monkeypatch.setenv("CRM_RECORDING_KEY", Fernet.generate_key().decode())
            with pytest.raises(NotFoundError):
                recordings.sound(row)


def test_a_recording_whose_head_was_never_written_has_its_length_by_size() -> None:
    broken = bytearray(_wav(3))
    broken[40:44] = b"\0\0\0\0"
    assert recordings.seconds_of(bytes(broken)) == 3


def test_the_rule_is_asked_again_when_the_days_are_over(store: Engine, home: Settings) -> None:
    plain, complained = _call(store, "1.1"), _call(store, "1.2")
    with session_scope(store) as session:
        actor = telephony_actor(session)
        rows = [recordings.add(session, external_id=key, content=_wav(), now=AT) for key in ("1.1", "1.2")]
        assert [row.rule for row in rows if row] == ["standard", "standard"]
        session.add(
            Ticket(
                code="T1",
                contact_id=complained,
                channel_code="voice",
                service_type_code="complaint",
                state="dispatched",
                created_at=AT,
            )
        )
        session.flush()
        assert recordings.purge(session, actor=actor, now=AT + timedelta(days=179)) == 0
        later = AT + timedelta(days=181)
        assert recordings.purge(session, actor=actor, now=later) == 1
        gone = session.scalars(select(Recording).where(Recording.contact_id == plain)).one()
        assert gone.purged_at == later
        assert not (recordings.folder() / gone.file).exists()
        with pytest.raises(NotFoundError):
            recordings.sound(gone)
        kept = session.scalars(select(Recording).where(Recording.contact_id == complained)).one()
        assert (kept.rule, kept.kept_until) == ("open_ticket", later + timedelta(days=30))
        assert recordings.of_contact(session, complained) == [kept]
        assert recordings.of_contact(session, plain) == []
