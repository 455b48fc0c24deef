"""Real calls through a real Asterisk: its queue_log, its events and our store tell the same story."""

import random
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import Engine, func, select

from core.database import session_scope
from crm_api.contacts.models import CallSegment, Contact, QueueVisit
from crm_api.workforce.models import AgentStateInterval
from telephony.ami_wire import Message
from telephony.asterisk.plan import AgentPlan, PbxPlan, QueuePlan
from telephony.call_model import build_calls
from telephony.files import import_queue_log, read_queue_log
from telephony.manager import Manager
from tests.telephony.conftest import Start
from tests.telephony.phones import agents_at_their_phones, make_calls

PLAN = PbxPlan(
    manager_user="crm",
    manager_secret="only-for-this-test",
    queues=(QueuePlan("general", wrap_up_seconds=1), QueuePlan("fault", strategy="ring_all")),
    agents=tuple(AgentPlan(f"70{n:02}", f"secret70{n:02}", queues=(("general", 1), ("fault", 2))) for n in range(1, 5)),
)


def test_calls_reach_agents_and_the_store(asterisk: Start, sqlite_url: str, tmp_path: Path) -> None:
    from core.database import make_engine

    pbx = asterisk(PLAN)
    seen: list[Message] = []
    manager = Manager()
    manager.connect(pbx.plan.ports.host, pbx.plan.ports.manager)
    manager.login(PLAN.manager_user, PLAN.manager_secret)
    manager.register_event("*", lambda event, _: seen.append(event))
    queues = [one["Queue"] for one in manager.send_list({"Action": "QueueStatus"}) if one.name == "QueueParams"]
    assert sorted(queues) == ["crm-fault", "crm-general"]

    patience = random.Random(1)
    calls = [(f"1380000{n:04}", patience.choice([1500, 3000, 5000])) for n in range(20)]
    with agents_at_their_phones(pbx.plan, tmp_path):
        make_calls(pbx.plan, tmp_path, calls, per_second=4)
        time.sleep(1.5)
    manager.close()

    events, bad = read_queue_log([pbx.queue_log])
    visits = build_calls(events).visits
    assert bad == {}
    assert len(visits) == len(calls)
    classes = Counter(visit.exit_class for visit in visits)
    assert set(classes) == {"answered", "abandoned"}
    live = Counter(event.name for event in seen)
    assert (live["QueueCallerJoin"], live["AgentConnect"]) == (len(calls), classes["answered"])
    assert live["QueueCallerAbandon"] == classes["abandoned"]
    recorded = [path.stat().st_size for path in pbx.recordings.glob("*.wav")]
    assert len(recorded) >= classes["answered"]

    engine = make_engine(url=sqlite_url)
    _check_store(engine, pbx.queue_log, classes, tmp_path)
    engine.dispose()


def _check_store(engine: Engine, log: Path, classes: Counter[str | None], folder: Path) -> None:
    first = import_queue_log(engine, [log], source="", rejected=folder)
    assert (first.calls.added, first.visits) == (classes.total(), classes.total())
    with session_scope(engine) as session:
        stored = select(QueueVisit.exit_class, func.count()).group_by(QueueVisit.exit_class)
        assert dict(session.execute(stored).all()) == dict(classes)
        assert session.scalar(select(func.count()).select_from(CallSegment)) == classes["answered"]
        numbers = set(session.scalars(select(Contact.remote_address)))
        assert len(numbers) == classes.total()
        newest = session.scalar(select(func.max(Contact.row_version)))
        assert session.scalar(select(func.count()).where(AgentStateInterval.state == "talk"))
    again = import_queue_log(engine, [log, log], source="", rejected=folder)
    assert (again.calls.added, again.calls.changed, again.calls.same) == (0, 0, classes.total())
    assert again.agent_states == 0
    with session_scope(engine) as session:
        assert session.scalar(select(func.max(Contact.row_version))) == newest


def test_a_changed_plan_is_loaded_without_dropping_calls(asterisk: Start, tmp_path: Path) -> None:
    from dataclasses import replace

    pbx = asterisk(PLAN)
    with agents_at_their_phones(pbx.plan, tmp_path):
        assert pbx.reload(pbx.plan) == []
        more = replace(pbx.plan, queues=(*pbx.plan.queues, QueuePlan("fee", strategy="linear")))
        import threading

        calling = threading.Thread(target=make_calls, args=(pbx.plan, tmp_path, [("13800000001", 4000)]))
        calling.start()
        time.sleep(1.5)
        assert sorted(pbx.reload(more)) == ["extensions.conf", "queues.conf"]
        calling.join()
    assert "crm-fee" in pbx.command("queue show").stdout
    visits = build_calls(read_queue_log([pbx.queue_log])[0]).visits
    assert [visit.exit_class for visit in visits] == ["answered"]
    assert visits[0].talk_seconds is not None
    assert visits[0].talk_seconds >= 2
