"""Real workers, killed and doubled: every step of the ladder is sent exactly once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

import pytest
from sqlalchemy import Engine, func, select

from core.database import session_scope
from core.time import utc_now
from crm_api.bus.models import Notification, OutboxMessage
from crm_api.sla.models import Escalation
from crm_api.tickets.models import Ticket, TicketEvent
from crm_api.worker.loop import work_round
from tests.crm_api.ticket_world import World

TICKETS = 60 if os.environ.get("CRM_TEST_FULL") else 24
#: Two clocks with steps at 50, 75, 100 and 150 %; at the province one address each.
STEPS = 8


@contextmanager
def worker(engine: Engine) -> Iterator[subprocess.Popen[bytes]]:
    """`crm worker` on the store, in a process of its own."""
    address = engine.url.set(drivername=engine.url.get_backend_name()).render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "worker", "--interval", "0.05"],
        env=os.environ | {"CRM_DATABASE_URL": address},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=120)
        if process.stderr:
            process.stderr.close()


def sent(engine: Engine) -> int:
    with session_scope(engine) as session:
        return session.scalar(select(func.count()).select_from(Escalation)) or 0


def wait_until_sent(engine: Engine, at_least: int, *, seconds: float = 300) -> None:
    until = monotonic() + seconds
    while sent(engine) < at_least:
        assert monotonic() < until, f"{sent(engine)} of {at_least} steps sent"
        sleep(0.01)


def test_killed_and_doubled_workers_send_each_step_once(store: Engine) -> None:
    world = World(store)
    world.now = utc_now().replace(year=utc_now().year - 1, month=3, day=2)
    for _ in range(TICKETS):
        world.open(values={"priority": "urgent"})
    with worker(store) as first:
        wait_until_sent(store, 1)
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=120)
    with worker(store), worker(store):
        wait_until_sent(store, TICKETS * STEPS)
        sleep(0.5)
    assert sent(store) == TICKETS * STEPS
    with session_scope(store) as session:
        told = session.execute(
            select(Notification.ticket_id, Notification.text_en, Notification.role, func.count()).group_by(
                Notification.ticket_id, Notification.text_en, Notification.role
            )
        ).all()
        assert len(told) == TICKETS * STEPS
        assert {count for *_, count in told} == {1}
        topic = select(func.count()).where(OutboxMessage.topic == "escalation")
        assert session.scalar(topic) == TICKETS * STEPS


def test_a_round_takes_in_what_was_loaded_in_bulk(store: Engine) -> None:
    now = utc_now()
    with session_scope(store) as session:
        ticket = Ticket(
            code="B1", channel_code="voice", service_type_code="complaint", state="new", priority="urgent",
            created_at=now,
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        session.add(
            TicketEvent(
                ticket_id=ticket.id, event_number=1, kind="created", to_state="new", actor_role="agent", occurred_at=now
            )
        )
    assert work_round(store).adopted == 1
    assert not work_round(store).any


@pytest.mark.parametrize("option", ["--once", "--json"])
def test_the_command_ends_with_what_it_did(sqlite_url: str, option: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "worker", "--once", option],
        env=os.environ | {"CRM_DATABASE_URL": sqlite_url},
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    assert "escalations" in done.stdout
