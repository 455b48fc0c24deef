"""What is committed is heard by whoever listens, once; what is rolled back is not."""

from datetime import timedelta
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from core.database import session_scope
from core.time import utc_now
from crm_api.bus.models import OutboxMessage
from crm_api.bus.service import CHANNEL, Reader, listen, publish, sweep


def test_a_listener_hears_a_commit_at_once_and_no_rollback(store: Engine) -> None:
    heard: list[tuple[float, Any]] = []
    ready = Event()

    def hear() -> None:
        for message in listen(store, seconds=60):
            ready.set()
            if message is not None:
                heard.append((monotonic(), message))
            if len(heard) == 2:
                return

    listener = Thread(target=hear)
    listener.start()
    assert ready.wait(60)
    with pytest.raises(RuntimeError), session_scope(store) as session:
        publish(session, topic="test", payload={"number": 0})
        session.flush()
        raise RuntimeError
    spoken = []
    for number in (1, 2):
        with session_scope(store) as session:
            publish(session, topic="test", payload={"number": number})
        spoken.append(monotonic())
        sleep(0.2)
    listener.join(60)
    assert [message[2]["number"] for _, message in heard] == [1, 2]
    assert max(at - told for (at, _), told in zip(heard, spoken, strict=True)) < 1


@pytest.mark.postgresql
def test_a_message_that_commits_late_is_not_missed(postgresql_url: str) -> None:
    from core.database import make_engine

    engine = make_engine(url=postgresql_url)
    reader = Reader(engine)
    with session_scope(engine) as slow:
        publish(slow, topic="slow", payload={})
        slow.flush()
        with session_scope(engine) as quick:
            publish(quick, topic="quick", payload={})
        assert [topic for _, topic, _ in reader.read()] == ["quick"]
    assert [topic for _, topic, _ in reader.read()] == ["slow"]
    assert reader.read() == []
    engine.dispose()


@pytest.mark.postgresql
def test_a_lost_store_is_told_as_such_and_listening_goes_on_after_it(postgresql_url: str) -> None:
    from core.database import make_engine

    engine, listeners = make_engine(url=postgresql_url), "select pg_terminate_backend(pid) from pg_stat_activity"
    heard = listen(engine, seconds=20)
    assert next(heard) is None
    with engine.connect() as other:
        cut = text(f"{listeners} where query = 'LISTEN {CHANNEL}' and datname = current_database()")
        assert other.scalars(cut).all() == [True]
    with pytest.raises(OperationalError):
        list(heard)
    assert next(listen(engine, seconds=5)) is None
    engine.dispose()


def test_old_messages_are_swept(store: Engine) -> None:
    with session_scope(store) as session:
        publish(session, topic="old", payload={}, now=utc_now() - timedelta(hours=2))
        publish(session, topic="new", payload={})
    with session_scope(store) as session:
        assert sweep(session) == 1
        assert [message.topic for message in session.query(OutboxMessage)] == ["new"]
