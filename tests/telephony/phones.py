"""People on the telephone: callers and agents played by SIPp against a private Asterisk."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from telephony.asterisk.plan import AgentPlan, PbxPlan
from tests.servers import free_port, missing

SCENARIOS = Path(__file__).parents[2] / "telephony" / "sipp"


def sipp() -> str:
    """The SIPp program."""
    found = shutil.which("sipp")
    if found is None:
        missing("SIPp", "install the package sip-tester")
    return str(found)


def _run(arguments: Sequence[str], folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sipp(), *arguments, "-i", "127.0.0.1", "-nostdin"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@contextmanager
def agents_at_their_phones(
    plan: PbxPlan, folder: Path, *, ring_ms: int = 300, scenario: Path = SCENARIOS / "agent.xml"
) -> Iterator[None]:
    """Every SIP agent of the plan registered, answering after `ring_ms` and talking until the caller hangs up.

    Args:
        scenario: what the phones do, if it is something else.
    """
    phone, register = free_port(), free_port()
    agents: list[AgentPlan] = [agent for agent in plan.agents if not agent.is_webrtc]
    content = "".join(
        f"{one.code};[authentication username={one.code} password={one.secret}];{phone}\n" for one in agents
    )
    (folder / "agents.csv").write_text("SEQUENTIAL\n" + content)
    server = f"{plan.ports.host}:{plan.ports.sip}"
    answering = subprocess.Popen(
        [
            sipp(),
            "-sf",
            str(scenario),
            "-i",
            "127.0.0.1",
            "-p",
            str(phone),
            "-d",
            str(ring_ms),
            "-mp",
            str(free_port()),
            "-nostdin",
        ],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        done = _run(
            [
                server,
                "-sf",
                str(SCENARIOS / "register.xml"),
                "-inf",
                "agents.csv",
                "-p",
                str(register),
                "-m",
                str(len(agents)),
                "-r",
                "20",
            ],
            folder,
            60,
        )
        assert done.returncode == 0, done.stdout[-2000:]
        yield
    finally:
        answering.kill()
        answering.wait(10)


def make_calls(plan: PbxPlan, folder: Path, calls: Sequence[tuple[str, int]], *, per_second: float = 5) -> None:
    """Call the service number: (caller's number, milliseconds of waiting and talking together) for each call."""
    (folder / "calls.csv").write_text("SEQUENTIAL\n" + "".join(f"{number};{ms}\n" for number, ms in calls))
    done = _run(
        [
            f"{plan.ports.host}:{plan.ports.sip}",
            "-sf",
            str(SCENARIOS / "caller.xml"),
            "-inf",
            "calls.csv",
            "-s",
            plan.service_number,
            "-p",
            str(free_port()),
            "-mp",
            str(free_port()),
            "-m",
            str(len(calls)),
            "-r",
            str(per_second),
        ],
        folder,
        30 + len(calls) / per_second + max(ms for _, ms in calls) / 1000,
    )
    assert done.returncode == 0, done.stdout[-2000:]
