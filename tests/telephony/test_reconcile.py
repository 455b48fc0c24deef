"""The log corrects the live picture, and the difference is counted once."""

from datetime import date
from pathlib import Path

from sqlalchemy import Engine, select

from core.database import session_scope
from crm_api.contacts.call_records import Directory, store_calls
from crm_api.contacts.models import QueueVisit
from crm_api.routing.models import TelephonyResidual
from crm_api.routing.service import ensure
from crm_api.workforce.models import Agent, AgentQueue, Queue
from telephony.asterisk.from_store import plan_from_store
from telephony.asterisk.plan import PbxPlan
from telephony.asterisk.render import render
from telephony.call_model import build_calls
from telephony.queue_log import parse
from telephony.reconcile import reconcile
from telephony.to_store import call_records, caller_numbers

# 2026-03-02 00:00:00 in Asia/Shanghai.
DAY = 1772380800
LOG = f"""
{DAY + 100}|a|crm-general|NONE|ENTERQUEUE||13800000001|1
{DAY + 110}|a|crm-general|7001|CONNECT|10|x|3
{DAY + 170}|a|crm-general|7001|COMPLETECALLER|10|60|1
{DAY + 200}|b|crm-general|NONE|ENTERQUEUE||13800000002|1
{DAY + 230}|b|crm-general|NONE|ABANDON|1|1|30
{DAY + 300}|c|crm-general|NONE|ENTERQUEUE||13800000003|1
{DAY + 305}|c|crm-general|7001|CONNECT|5|x|3
{DAY + 405}|c|crm-general|7001|COMPLETEAGENT|5|100|1
""".strip()


def _lines(text: str) -> list[str]:
    return [line + "\n" for line in text.splitlines()]


def test_what_was_missed_unknown_or_open_is_counted_and_mended(store: Engine, tmp_path: Path) -> None:
    seen = list(parse(_lines(LOG), []))[:4]  # the listener died after b joined
    with session_scope(store) as session:
        records = call_records(build_calls(seen), caller_numbers(seen))
        store_calls(session, records, directory=Directory(session, create=True))
    log = tmp_path / "queue_log"
    log.write_text("".join(_lines(LOG)))
    residuals, summary = reconcile(store, [log], rejected=tmp_path)
    found = residuals[date(2026, 3, 2)]
    assert (found.visits_in_log, found.visits_missing, found.visits_unknown, found.visits_wrong) == (3, 1, 1, 0)
    assert (found.wait_seconds_differing, found.talk_seconds_differing) == (30, 0)
    assert (summary.calls.added, summary.calls.changed, summary.calls.same) == (1, 1, 1)
    with session_scope(store) as session:
        classes = session.scalars(select(QueueVisit.exit_class).order_by(QueueVisit.entered_at)).all()
        assert classes == ["answered", "abandoned", "answered"]

    again, summary = reconcile(store, [log], rejected=tmp_path)
    assert again[date(2026, 3, 2)].visits_missing == 0
    assert (summary.calls.added, summary.calls.changed) == (0, 0)
    with session_scope(store) as session:
        row = session.scalars(select(TelephonyResidual)).one()
        assert (row.visits_in_log, row.visits_missing, row.visits_unknown) == (3, 1, 1)


def test_the_pbx_is_configured_from_the_store(store: Engine) -> None:
    with session_scope(store) as session:
        queue = Queue(code="general", name_zh="综合", name_en="General", calendar_code="hotline")
        priority = Queue(code="vip", name_zh="大客户", name_en="Key", is_priority=True, calendar_code="hotline")
        agent = Agent(code="7001", name="张三")
        session.add_all([queue, priority, agent])
        session.flush()
        session.add(AgentQueue(agent_id=agent.id, queue_id=queue.id, skill_rank=2))
        assert ensure(session) == 3
        assert ensure(session) == 0
        plan = plan_from_store(session, PbxPlan("crm", "secret"))
    files = render(plan, etc="/etc/x", state="/srv/x", modules="/usr/lib/x")
    assert "[crm-general]" in files["queues.conf"]
    assert "member =>" not in files["queues.conf"], "agents sign in to their queues themselves"
    assert plan.agents[0].queues == (("general", 2),)
    assert "webrtc = yes" in files["pjsip.conf"]
    assert plan.agents[0].secret not in files["extensions.conf"]
    # What callers say of themselves is put into expressions: letters and digits there, never the dialplan's words.
    lines = [one for one in files["extensions.conf"].splitlines() if "(CRM_CALLER=" in one or "(CRM_NUMBER=" in one]
    assert lines and all("=${FILTER(0-9A-Za-z+," in one for one in lines)
    assert {queue.code: queue.weight for queue in plan.queues} == {"general": 0, "vip": 10}
