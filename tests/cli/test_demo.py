"""`crm demo`, as `make demo` runs it: ready, ended by Ctrl-C with nothing left, quick the second time."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import httpx
import psutil
import pytest
from sqlalchemy import select

from cli.demo import _people
from core.database import make_engine, session_scope
from core.settings import Settings
from core.time import utc_now
from crm_api.customers.models import Customer
from crm_api.identity.models import User
from tests.servers import free_port

ROOT = Path(__file__).parents[2]
SMALL = ("--customers", "400", "--days", "10")
ADDRESS = re.compile(r"Dashboards: (http://127\.0\.0\.1:(\d+))")
DESK = re.compile(r"Capture frontend: (http://127\.0\.0\.1:(\d+)/app)")
LOGIN = re.compile(r"sign in as (\w+) / (\S+)")
#: Generous: the machine may be busy.
FIRST, SECOND, ENDING = 400, 120, 60


class Demo:
    """A running `crm demo`, its output line by line, and every process below it."""

    def __init__(self, home: Path, port: int, api_port: int) -> None:
        ports = ("--port", str(port), "--api-port", str(api_port))
        command = [sys.executable, "-m", "cli.main", "demo", "--home", str(home), *ports, *SMALL]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said: list[str] = []

    def wait_for(self, pattern: re.Pattern[str], patience: float) -> re.Match[str]:
        """The first line of the output that matches."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if found := pattern.search(line):
                assert time.monotonic() - self.started < patience
                return found
        pytest.fail("the demo ended: " + "".join(self.said))

    def end(self, with_signal: int = signal.SIGINT) -> int:
        """End it as a terminal does (the whole group for Ctrl-C), and see that nothing is left."""
        members = [each for each in psutil.process_iter() if _session(each.pid) == self.process.pid]
        if with_signal == signal.SIGINT:
            os.killpg(self.process.pid, with_signal)
        else:
            self.process.send_signal(with_signal)
        rest, _ = self.process.communicate(timeout=ENDING)
        self.said.append(rest)
        _, alive = psutil.wait_procs(members, timeout=30)
        assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []
        return self.process.returncode


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return -1


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def _held(port: int) -> Iterator[None]:
    with socket.socket() as holder:
        # Connections of the demo that ended still linger on its port.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        holder.listen()
        yield


def _sign_in(address: str, username: str, password: str) -> None:
    """As a program does: over the demo's own store, in which this person lives."""
    api = address.removesuffix("/app")
    with httpx.Client(base_url=api, timeout=60) as client:
        answer = client.post("/api/v1/session", json={"username": username, "password": password})
        assert answer.status_code in (200, 201), answer.text
        assert client.get("/app").status_code == 200


def test_somebody_else_s_store_gets_no_users_with_public_passwords(home: Settings, sqlite_template: Path) -> None:
    store = home.home / "store" / "crm.sqlite"
    store.parent.mkdir(parents=True)
    shutil.copy(sqlite_template, store)
    engine = make_engine(home)
    with session_scope(engine) as session:
        session.add(Customer(code="1", kind="person", registered_at=utc_now()))
    names: list[str] = []
    assert "crm users demo" in _people(home, names)
    assert names == []
    with session_scope(engine) as session:
        assert session.scalars(select(User).where(User.is_demo)).all() == []
    engine.dispose()


def test_demo_from_nothing_to_ctrl_c_and_again(tmp_path: Path) -> None:
    home, port, api_port = tmp_path / "home", free_port(), free_port()
    # Stopped in the middle of its work, the next start goes on.
    interrupted = Demo(home, port, api_port)
    interrupted.wait_for(re.compile(r"store +\d"), FIRST)
    interrupted.end(signal.SIGTERM)
    assert not (home / "published" / "CURRENT.json").exists()

    first = Demo(home, port, api_port)
    found = first.wait_for(ADDRESS, FIRST)
    assert int(found[2]) == port
    with urlopen(found[1], timeout=20) as answer:
        assert answer.status == 200
    desk = first.wait_for(DESK, FIRST)
    assert int(desk[2]) == api_port
    login = first.wait_for(LOGIN, FIRST)
    _sign_in(desk[1], login[1], login[2])
    assert first.end() == 0
    assert _is_free(port) and _is_free(api_port)
    assert "10 days" in "".join(first.said)

    # The ports are taken: the next free ones, said clearly.
    with _held(port), _held(api_port):
        second = Demo(home, port, api_port)
        found = second.wait_for(ADDRESS, SECOND)
        desk = second.wait_for(DESK, SECOND)
    said = "".join(second.said)
    assert f"Port {port} is taken; using {found[2]}." in said
    assert f"Port {api_port} is taken; using {desk[2]}." in said
    assert "published already, nothing new" in said and "they are kept" in said
    assert second.end(signal.SIGTERM) == 0


@pytest.mark.slow
def test_what_the_store_gained_since_is_published(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [sys.executable, "-m", "cli.main", "demo", "--home", str(home), *SMALL, "--no-serve"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}

    def run() -> str:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=FIRST)
        assert done.returncode == 0, done.stderr
        return done.stderr

    assert "published, " in run()
    import sqlite3

    with sqlite3.connect(home / "store" / "crm.sqlite") as store:
        store.execute("UPDATE customers SET name = name || ' ' WHERE id = (SELECT min(id) FROM customers)")
    assert "published, " in run()
    assert "nothing new" in run()
