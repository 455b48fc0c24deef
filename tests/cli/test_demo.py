"""`crm demo`, as `make demo` runs it: ready, ended by Ctrl-C with nothing left, quick the second time."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from tests.servers import free_port

ROOT = Path(__file__).parents[2]
SMALL = ("--customers", "400", "--days", "10")
ADDRESS = re.compile(r"Dashboards: (http://127\.0\.0\.1:(\d+))")
#: Generous: the machine may be busy.
FIRST, SECOND, ENDING = 240, 60, 30


class Demo:
    """A running `crm demo`, its output line by line, and every process below it."""

    def __init__(self, home: Path, port: int, *more: str) -> None:
        command = [sys.executable, "-m", "cli.main", "demo", "--home", str(home), "--port", str(port), *SMALL, *more]
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
        _, alive = psutil.wait_procs(members, timeout=5)
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


def test_demo_from_nothing_to_ctrl_c_and_again(tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    # Stopped in the middle of its work, the next start goes on.
    interrupted = Demo(home, port)
    interrupted.wait_for(re.compile(r"store +\d"), FIRST)
    interrupted.end(signal.SIGTERM)
    assert not (home / "published" / "CURRENT.json").exists()

    first = Demo(home, port)
    found = first.wait_for(ADDRESS, FIRST)
    assert int(found[2]) == port
    with urlopen(found[1], timeout=20) as answer:
        assert answer.status == 200
    assert first.end() == 0
    assert _is_free(port)
    assert "10 days" in "".join(first.said)

    # The port is taken: the next free one, said clearly.
    with socket.socket() as holder:
        # Connections of the demo that ended still linger on its port.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        holder.listen()
        second = Demo(home, port)
        found = second.wait_for(ADDRESS, SECOND)
    said = "".join(second.said)
    assert f"Port {port} is taken; using {found[2]}." in said
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
