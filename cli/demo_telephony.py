"""The demo's telephone side: a private Asterisk, the listener, and phones for the demo's people."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
    manager_port: int
    manager_secret: str


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


@contextmanager
def telephony(settings: Settings, root: Path = ASTERISK_ROOT) -> Iterator[Telephony]:
    """A private Asterisk with the store's queues and agents, and the listener; both end with the block.

    Raises:
        AsteriskUnavailableError: it is not installed, or this is not root.
    """
    if not is_installed(root):
        raise AsteriskUnavailableError(f"No Asterisk in {root}.", "Run: sudo make asterisk")
    if os.geteuid() != 0:
        raise AsteriskUnavailableError("The private Asterisk needs root.", "Run: sudo make demo TELEPHONY=1")
    engine = make_engine(settings)
    ports = Ports(
        sip=free_port(_HOST, 5060),
        manager=free_port(_HOST, 5038),
        http=free_port(_HOST, 8088),
        agi=free_port(_HOST, 4573),
    )
    base = PbxPlan("crm", secrets.token_hex(16), ports=ports)
    with session_scope(engine) as session:
        give_phones(session)
        plan = plan_from_store(session, base)
    engine.dispose()
    pbx = PrivateAsterisk(root.resolve(), "demo", plan)
    pbx.start()
    environment = os.environ | {"CRM_MANAGER_SECRET": base.manager_secret}
    command = [sys.executable, "-m", "cli.main", "telephony", "listen", "--port", str(ports.manager)]
    log = settings.home / "telephony"
    log.mkdir(parents=True, exist_ok=True)
    with (log / "listener.log").open("ab") as output:
        listener = subprocess.Popen(command, env=environment, stdout=output, stderr=output)  # noqa: S603 - our own
        try:
            yield Telephony(
                socket=f"ws://{_HOST}:{ports.http}/ws",
                callers=f"sip:{plan.service_number}@{_HOST}:{ports.sip}",
                manager_port=ports.manager,
                manager_secret=base.manager_secret,
            )
        finally:
            listener.terminate()
            try:
                listener.wait(15)
            except subprocess.TimeoutExpired:
                listener.kill()
            pbx.stop()
