"""The demo's telephone side: a private Asterisk, the listener, and phones for the demo's people."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.database import make_engine, session_scope
from core.settings import Settings
from crm_api.identity.models import User
from crm_api.routing.phones import assign
from crm_api.routing.service import ensure
from crm_api.workforce.models import Agent, AgentQueue
from dashboards.server import free_port
from telephony.asterisk.from_store import plan_from_store
from telephony.asterisk.plan import PbxPlan, Ports
from telephony.asterisk.private import AsteriskUnavailableError, PrivateAsterisk, is_installed
from telephony.commands import ASTERISK_ROOT

#: The demo's people who have a phone in the browser.
PEOPLE = ("agent", "agent2", "reviewer", "supervisor")
_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Telephony:
    """What runs: where browsers' phones connect, and where callers call."""

    socket: str
    callers: str
    speaks: bool
    pbx: PrivateAsterisk


def give_phones(session: Session) -> int:
    """Make the demo's people agents of the busiest queues' kind; the number of phones of the store."""
    for username in PEOPLE:
        user = session.scalars(select(User).where(User.username == username)).one_or_none()
        if user is not None:
            assign(session, username=username, agent_code=None if user.agent_id else _free_agent(session))
    return ensure(session)


def _free_agent(session: Session) -> str | None:
    """A present agent who serves the most queues and is nobody's yet; None in an empty centre."""
    taken = select(User.agent_id).where(User.agent_id.is_not(None))
    rows = session.execute(
        select(Agent.code, AgentQueue.queue_id)
        .join(AgentQueue, AgentQueue.agent_id == Agent.id)
        .where(Agent.left_on.is_(None), Agent.deleted_at.is_(None), Agent.id.not_in(taken))
    )
    served: dict[str, int] = {}
    for code, _ in rows:
        served[code] = served.get(code, 0) + 1
    return max(sorted(served), key=lambda code: served[code], default=None)


def _free_ports() -> Ports:
    manager, http, agi = (free_port(_HOST, wanted) for wanted in (5038, 8088, 4573))
    return Ports(sip=_free_datagram_port(5060), manager=manager, http=http, agi=agi)


def _free_datagram_port(wanted: int) -> int:
    for port in range(wanted, wanted + 50):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            return port
    raise AsteriskUnavailableError(f"UDP ports {wanted} to {wanted + 49} are all taken.", "End what uses them.")


@contextmanager
def telephony(
    settings: Settings,
    root: Path = ASTERISK_ROOT,
    name: str = "demo",
    ports: Ports | None = None,
    carrier_port: int = 5060,
) -> Iterator[Telephony]:
    """A private Asterisk with the store's queues and agents, the listener and the IVR; all end with the block.

    Args:
        carrier_port: where calls to numbers outside go, on this machine.

    Raises:
        AsteriskUnavailableError: it is not installed, or this is not root.
    """
    if not is_installed(root):
        raise AsteriskUnavailableError(f"No Asterisk in {root}.", "Run: sudo make asterisk")
    if os.geteuid() != 0:
        raise AsteriskUnavailableError("The private Asterisk needs root.", "Run: sudo make demo TELEPHONY=1")
    engine = make_engine(settings)
    ports = ports or _free_ports()
    # The prompts are spoken by espeak-ng: without it callers go straight to the agents.
    speaks = shutil.which("espeak-ng") is not None
    base = PbxPlan("crm", secrets.token_hex(16), ports=ports, trunk_port=carrier_port, ivr_enabled=speaks)
    with session_scope(engine) as session:
        give_phones(session)
        plan = plan_from_store(session, base)
    engine.dispose()
    pbx = PrivateAsterisk(root.resolve(), name, plan)
    with ExitStack() as running:
        running.callback(pbx.stop)
        pbx.start()
        running.enter_context(_beside(settings, base.manager_secret, "listen", "--port", str(ports.manager)))
        spool = str(pbx.recordings)
        running.enter_context(_beside(settings, base.manager_secret, "recordings", "--spool", spool, "--watch"))
        if speaks:
            running.enter_context(_beside(settings, base.manager_secret, "ivr", "--port", str(ports.agi)))
        yield Telephony(
            socket=f"ws://{_HOST}:{ports.http}/ws",
            callers=f"sip:{plan.service_number}@{_HOST}:{ports.sip}",
            speaks=speaks,
            pbx=pbx,
        )


@contextmanager
def _beside(settings: Settings, secret: str, *arguments: str) -> Iterator[None]:
    """A telephony command in a process of its own; what it says is kept below CRM_HOME."""
    environment = os.environ | {"CRM_HOME": str(settings.home), "CRM_MANAGER_SECRET": secret}
    command = [sys.executable, "-m", "cli.main", "telephony", *arguments]
    folder = settings.home / "telephony"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{arguments[0]}.log").open("ab") as output:
        child = subprocess.Popen(command, env=environment, stdout=output, stderr=output)  # noqa: S603 - our own
        try:
            yield
        finally:
            child.terminate()
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@contextmanager
def calls(settings: Settings) -> Iterator[str]:
    """The demo's telephone side; yields what to tell its reader. The desk started within it has phones."""
    with telephony(settings) as running:
        os.environ["CRM_PHONE_SOCKET"] = running.socket
        menu = "an IVR answers, then the agents" if running.speaks else "straight to the agents (no espeak-ng, no IVR)"
        yield f"Telephone: {', '.join(PEOPLE)} have one in the browser. Callers dial {running.callers}: {menu}."
