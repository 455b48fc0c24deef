"""Many calls while everything that can go away goes away: afterwards the store tells what the PBX's log tells."""

import contextlib
import random
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from asterisk.manager import ManagerException
from sqlalchemy import make_url

from core.database import make_engine
from telephony.asterisk.plan import AgentPlan, PbxPlan, QueuePlan
from telephony.asterisk.private import PrivateAsterisk
from telephony.files import read_queue_log
from telephony.manager import Manager
from telephony.reconcile import reconcile
from tests.servers import free_port
from tests.telephony.conftest import Start
from tests.telephony.phones import SCENARIOS, agents_at_their_phones, sipp
from tests.telephony.test_listener import _listening, _of_log, _visits
from tests.telephony.test_real_asterisk import PLAN

AGENTS = 50
LOAD_PLAN: PbxPlan = replace(
    PLAN,
    record=False,
    queues=(QueuePlan("general", ring_seconds=4, wrap_up_seconds=1), QueuePlan("fault", ring_seconds=4)),
    agents=tuple(
        AgentPlan(str(7000 + n), f"secret{n}", queues=(("general", 1), ("fault", 2))) for n in range(1, AGENTS + 1)
    ),
)


class Wire:
    """The way to the store: a port that passes on, and can be cut so that nothing is reached for a while."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target, self.port = target, free_port()
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.join()

    def join(self) -> None:
        """Pass on again."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """End every connection and refuse new ones."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open = []

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()
                continue
            self._open += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass(one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _pauses(pbx: PrivateAsterisk, stop: threading.Event) -> None:
    """Agents pause and come back all the time."""
    chance = random.Random(7)
    while not stop.is_set():
        manager = Manager()
        try:
            manager.connect(pbx.plan.ports.host, pbx.plan.ports.manager)
            manager.login(PLAN.manager_user, PLAN.manager_secret)
            while not stop.wait(0.7):
                agent = f"PJSIP/{7000 + chance.randint(1, AGENTS)}"
                for paused in ("true", "false"):
                    manager.send_action(
                        {"Action": "QueuePause", "Interface": agent, "Paused": paused, "Reason": "rest"}
                    )
                    stop.wait(1)
        except (OSError, ManagerException):
            stop.wait(0.5)
        finally:
            manager.close()


def _callers(pbx: PrivateAsterisk, folder: Path, calls: int, per_second: float) -> "subprocess.Popen[bytes]":
    """Callers who wait and talk 1 to 8 seconds together; those whom the crash cuts off fail, which is fine."""
    chance = random.Random(11)
    rows = [f"13{n:09};{chance.choice([800, 1500, 2500, 4000, 6000, 8000])}\n" for n in range(calls)]
    (folder / "calls.csv").write_text("SEQUENTIAL\n" + "".join(rows))
    return subprocess.Popen(
        [
            sipp(),
            f"{pbx.plan.ports.host}:{pbx.plan.ports.sip}",
            *("-sf", str(SCENARIOS / "caller.xml"), "-inf", "calls.csv", "-s", pbx.plan.service_number),
            *("-p", str(free_port()), "-mp", str(free_port()), "-m", str(calls), "-r", str(per_second)),
            *("-i", "127.0.0.1", "-nostdin", "-timeout", str(int(calls / per_second) + 60), "-max_retrans", "4"),
            # Whom the crash cuts off between "trying" and the answer would wait for ever.
            *("-recv_timeout", "30000"),
        ],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "callers.txt").open("w"),
    )


def _run(
    pbx: PrivateAsterisk, url: str, wire: Wire, folder: Path, *, calls: int, kills: int, away_seconds: float
) -> None:
    home, per_second = folder / "home", 10.0
    callers = _callers(pbx, folder, calls, per_second)
    length = calls / per_second
    stop = threading.Event()
    pausing = threading.Thread(target=_pauses, args=(pbx, stop))
    pausing.start()

    def crash() -> None:
        pbx.kill()
        pbx.start()

    disasters: list[tuple[float, Callable[[], None]]] = sorted(
        [(0.3, wire.cut), (0.3 + away_seconds / length, wire.join), (0.7, crash)], key=lambda one: one[0]
    )
    began = time.monotonic()
    try:
        for number in range(kills):
            with _listening(pbx, url, home) as child:
                until = began + length * (number + 1) / kills
                while time.monotonic() < until:
                    while disasters and time.monotonic() - began >= disasters[0][0] * length:
                        disasters.pop(0)[1]()
                    time.sleep(0.1)
                child.kill()
        for _, disaster in disasters:
            disaster()
        with _listening(pbx, url, home):
            # 1: some calls failed, as they do in a crash; anything more is SIPp's own failure.
            assert callers.wait(300) in (0, 1), (folder / "callers.txt").read_text()[-2000:]
            time.sleep(3)
    finally:
        stop.set()
        pausing.join(60)
        callers.kill()


def _check(pbx: PrivateAsterisk, url: str, folder: Path, calls: int) -> None:
    engine = make_engine(url=url)
    expected = _of_log(pbx)
    classes = Counter(row[2] for row in expected)
    print(f"{len(expected)} visits of {calls} calls: {dict(classes)}")
    assert len(expected) > calls * 0.7, "the crash costs the calls that it cuts off and those that came meanwhile"
    assert classes["answered"] > calls * 0.4
    assert classes["abandoned"] > 0
    assert len(expected) > len({row[0] for row in expected}), "calls are transferred"
    kinds = Counter(event.kind for event in read_queue_log([pbx.queue_log])[0])
    assert min(kinds[kind] for kind in ("BLINDTRANSFER", "RINGNOANSWER", "PAUSE", "UNPAUSE")) > 0, kinds
    live = {row[:2]: row for row in _visits(engine)}
    wrong = [
        (row, live[row[:2]])
        for row in expected
        if row[:2] in live and live[row[:2]][2] not in (row[2], "unknown", None)
    ]
    assert wrong == [], "live figures are right or say unknown"
    residuals, _ = reconcile(engine, [pbx.queue_log], rejected=folder)
    print({str(day): vars(one) for day, one in residuals.items()})
    assert _visits(engine) == expected
    again, summary = reconcile(engine, [pbx.queue_log], rejected=folder)
    assert (summary.calls.added, summary.calls.changed) == (0, 0)
    assert sum(one.calls_differing for one in again.values()) == 0
    engine.dispose()


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("calls", "kills", "away_seconds"),
    [
        pytest.param(200, 3, 4.0, id="200"),
        pytest.param(2000, 10, 60.0, id="2000", marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
)
def test_nothing_is_lost_and_nothing_is_told_twice(
    asterisk: Start, postgresql_url: str, tmp_path: Path, calls: int, kills: int, away_seconds: float
) -> None:
    pbx = asterisk(LOAD_PLAN)
    direct = make_url(postgresql_url)
    wire = Wire((direct.host or "127.0.0.1", direct.port or 5432))
    url = direct.set(host="127.0.0.1", port=wire.port).render_as_string(hide_password=False)
    phones = agents_at_their_phones(pbx.plan, tmp_path, scenario=SCENARIOS / "agent_mixed.xml")
    with phones:
        _run(pbx, url, wire, tmp_path, calls=calls, kills=kills, away_seconds=away_seconds)
    _check(pbx, postgresql_url, tmp_path, calls)
    wire.cut()
