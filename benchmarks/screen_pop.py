"""From Asterisk's AgentCalled to the queue of a browser's live line, while 20 calls a second ring at 50 desks."""

import asyncio
import tempfile
import time
from pathlib import Path

from core.database import make_engine, session_scope
from crm_api.capture.hub import hub_of
from crm_api.identity.service import create_demo_users
from crm_api.reference.service import load_reference
from crm_api.routing.phones import assign
from crm_api.store import migrate
from telephony.ami_wire import Message
from telephony.screen_pop import ScreenPops

_DESKS, _A_SECOND, _SECONDS = 50, 20, 10


def _ring(number: int) -> Message:
    head = "Event: AgentCalled\r\nMemberName: 7001\r\nQueue: crm-general\r\n"
    return Message(f"{head}CallerIDNum: 1390000{number:04}\r\nLinkedid: {number}".encode())


async def _measure(folder: Path) -> list[float]:
    engine = make_engine(url=f"sqlite:///{folder / 'crm.sqlite'}", connections=8)
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
        create_demo_users(session)
        assign(session, username="agent", agent_code="7001")
    pops = ScreenPops(engine)
    rang: dict[str, float] = {}
    late: list[float] = []

    async def desk() -> None:
        with hub_of(engine).subscribed() as queue:
            for _ in range(_A_SECOND * _SECONDS):
                _, _, body = await queue.get()
                late.append(time.monotonic() - rang[body["call"]])

    desks = [asyncio.create_task(desk()) for _ in range(_DESKS)]
    await asyncio.sleep(1)
    for number in range(_A_SECOND * _SECONDS):
        rang[str(number)] = time.monotonic()
        pops(_ring(number))
        await asyncio.sleep(1 / _A_SECOND)
    await asyncio.wait(desks, timeout=10)
    # The hub lets its thread go a moment after the last desk left.
    await asyncio.sleep(2)
    engine.dispose()
    return sorted(late)


def run(size: str) -> list[dict[str, object]]:
    """p50 and p95 in milliseconds; the last metres (server-sent event, drawing) are in the end-to-end test."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        late = asyncio.run(_measure(Path(folder)))
    note = f"{_A_SECOND} calls/s, {_DESKS} desks, SQLite, {size}"
    return [
        {
            "name": f"ring to desk, p{share}",
            "value": late[len(late) * share // 100] * 1000,
            "unit": "ms",
            "aim": "< 300",
            "note": note,
        }
        for share in (50, 95)
    ]
