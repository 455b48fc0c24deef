"""The listener against a real Asterisk: calls appear in the store while they last; kills and restarts lose none."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine, select

from core.database import make_engine, session_scope
from crm_api.contacts.models import Contact, QueueVisit
from crm_api.workforce.models import AgentStateInterval
from telephony.asterisk.private import PrivateAsterisk
from telephony.call_model import Visit, build_calls
from telephony.files import import_queue_log, read_queue_log
from tests.telephony.conftest import Start
from tests.telephony.phones import agents_at_their_phones, make_calls
from tests.telephony.test_real_asterisk import PLAN


@contextlib.contextmanager
def _listening(pbx: PrivateAsterisk, url: str, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    ports = pbx.plan.ports
    environment = os.environ | {
        "CRM_HOME": str(home),
        "CRM_DATABASE_URL": url,
        "CRM_MANAGER_SECRET": PLAN.manager_secret,
    }
    command = [sys.executable, "-m", "cli.main", "telephony", "listen", "--port", str(ports.manager)]
    child = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[2])
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(60)


def _visits(engine: Engine) -> list[tuple[str, int, str | None, int | None, int | None]]:
    """(caller, entry, exit class, waited, talked) of the store, in the words of queue_log."""
    with session_scope(engine) as session:
        rows = session.execute(
            select(Contact.remote_address, QueueVisit)
            .join(QueueVisit, QueueVisit.contact_id == Contact.id)
            .where(QueueVisit.deleted_at.is_(None))
        ).all()

    def seconds(start: object, end: object) -> int | None:
        return None if start is None or end is None else int((end - start).total_seconds())  # type: ignore[operator]  # neither is missing here

    found = [
        (
            number,
            int(visit.entered_at.timestamp()),
            visit.exit_class,
            seconds(visit.entered_at, visit.exited_at),
            seconds(visit.exited_at, visit.ended_at),
        )
        for number, visit in rows
    ]
    return sorted(found, key=repr)


def _states(engine: Engine) -> list[AgentStateInterval]:
    with session_scope(engine) as session:
        found = (
            select(AgentStateInterval).where(AgentStateInterval.deleted_at.is_(None)).order_by(AgentStateInterval.id)
        )
        return list(session.scalars(found))


def _of_log(pbx: PrivateAsterisk) -> list[tuple[str, int, str | None, int | None, int | None]]:
    events, _ = read_queue_log([pbx.queue_log])
    numbers = {event.call: event.data[1] for event in events if event.kind == "ENTERQUEUE"}

    def row(visit: Visit) -> tuple[str, int, str | None, int | None, int | None]:
        return numbers[visit.call], visit.entered_at, visit.exit_class, visit.wait_seconds, visit.talk_seconds

    return sorted(map(row, build_calls(events).visits), key=repr)


def _eventually(condition: object, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]  # a condition is called
            return True
        time.sleep(0.1)
    return False


def test_a_call_is_in_the_store_while_it_lasts(asterisk: Start, sqlite_url: str, tmp_path: Path) -> None:
    pbx, engine = asterisk(PLAN), make_engine(url=sqlite_url)
    with agents_at_their_phones(pbx.plan, tmp_path), _listening(pbx, sqlite_url, tmp_path / "home"):
        assert _eventually(lambda: (tmp_path / "home" / "telephony" / "connected").exists(), 15)
        calling = threading.Thread(target=make_calls, args=(pbx.plan, tmp_path, [("13800000001", 4000)]))
        calling.start()
        assert _eventually(lambda: [row[2] for row in _visits(engine)] == ["answered"], 4)
        assert _visits(engine)[0][4] is None
        calling.join()
        assert _eventually(lambda: _visits(engine)[0][4] is not None, 2.5)
        assert _eventually(lambda: {"available", "talk", "wrap_up"} <= {one.state for one in _states(engine)}, 4)
        time.sleep(1.5)
    states = _states(engine)
    for agent in {one.agent_id for one in states}:
        of_agent = sorted((one for one in states if one.agent_id == agent), key=lambda one: one.started_at)
        for before, after in itertools.pairwise(of_agent):
            assert before.ended_at is not None
            assert before.ended_at <= after.started_at


def test_killed_listeners_lose_nothing_after_the_log_is_read(asterisk: Start, sqlite_url: str, tmp_path: Path) -> None:
    pbx, engine = asterisk(PLAN), make_engine(url=sqlite_url)
    calls = [(f"1390000{n:04}", 1500 + 500 * (n % 5)) for n in range(30)]
    with agents_at_their_phones(pbx.plan, tmp_path):
        calling = threading.Thread(target=make_calls, args=(pbx.plan, tmp_path, calls), kwargs={"per_second": 3})
        calling.start()
        for _ in range(3):
            with _listening(pbx, sqlite_url, tmp_path / "home") as child:
                time.sleep(3)
                child.kill()
        with _listening(pbx, sqlite_url, tmp_path / "home"):
            calling.join()
            time.sleep(2)
    expected = _of_log(pbx)
    assert len(expected) == len(calls)
    seen = {row[:2]: row for row in _visits(engine)}
    for row in expected:
        live = seen.get(row[:2])
        assert live is None or live[2] in (row[2], "unknown", None), "live figures are right or say unknown"
    import_queue_log(engine, [pbx.queue_log], source="", rejected=tmp_path)
    assert _visits(engine) == expected
