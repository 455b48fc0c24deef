"""A call from the caller's finger to the dashboards' figures, with nothing simulated but the people."""

import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.database import session_scope
from core.time import to_local, utc_now
from crm_api.audit.models import AuditEntry
from crm_api.contacts.models import Contact, QueueVisit
from crm_api.routing.models import Recording
from crm_api.tickets.models import Ticket
from crm_api.workforce.models import AgentStateInterval
from telephony.call_model import build_calls
from telephony.files import read_queue_log
from tests.browser import until
from tests.end_to_end.phone_desk import CALLER, Centre, PhoneDesk
from tests.telephony.keypad import call_and_press

pytestmark = pytest.mark.browser


def _packets_of_callers(centre: Centre) -> list[tuple[int, int]]:
    """(received, sent) of the carrier's channels, as Asterisk counts them."""
    said = centre.phones.pbx.command("pjsip show channelstats").stdout
    rows = [line.split() for line in said.splitlines() if " trunk-" in line]
    return [(int(row[4]), int(row[8])) for row in rows if len(row) > 8]


def test_one_call_is_the_same_call_everywhere(centre: Centre, agent: PhoneDesk, tmp_path: Path) -> None:
    from selenium.webdriver.support.select import Select

    agent.sit_down("agent")
    agent.wish("available", "available")
    caller = call_and_press(
        centre.phones.pbx.plan, tmp_path, CALLER, [(900, "1"), (900, "3")], then_ms=120_000, hang_up=False, echoes=True
    )
    agent.until_calls("incoming")
    began = time.monotonic()
    agent.one(".pop.rang")
    pop = agent.text(".pop")
    assert "张伟" in pop, "the caller's number is known"
    assert "金卡" in pop
    assert "投诉" in agent.text(".pop-facts"), "the queue that the caller chose in the menu"
    assert "优先 20" in agent.text(".pop-facts")

    # Asterisk tells ringing in whole seconds: less than one is none.
    until(lambda: time.monotonic() - began > 2, "the agent to have read that")
    agent.press("answer")
    agent.until_calls("talking")
    agent.one(".pop [href*=customer_id]").click()
    agent.one("#capture")
    agent.driver.execute_script("document.querySelector('[name=service_type_code][value=complaint]').click()")
    agent.one("textarea[name=text]").send_keys("机顶盒无信号，来电投诉")
    Select(agent.one("[name=complaint_type_code]")).select_by_value("signal.digital_tv.no_picture")
    agent.one("[data-send-ticket]").click()
    ticket_id = int(agent.one("#made a").get_attribute("href").rsplit("/", 1)[1])
    agent.one(".side a[href='/app/tickets']").click()
    agent.wait_for("机顶盒无信号")
    assert agent.driver.execute_script("return window.sameShell"), "the call outlived three pages"
    until(lambda: min(agent.packets()) > 100, "sound in both directions", 20)
    received, sent = _packets_of_callers(centre)[0]
    assert min(received, sent) > 100
    agent.press("end")
    agent.until_calls()
    until(lambda: agent.phone("state") == "wrap_up", "wrap-up", 10)
    assert "话后处理" in agent.text("#phone-timer")
    until(lambda: agent.phone("state") == "available", "the end of wrap-up", 20)
    assert caller.wait(240) == 0, "the caller was asked how it was, and let go"

    agent.wish("logged_out", "none")
    contact_id, recording_id = _is_in_the_logs_and_the_store(centre, ticket_id)
    _is_in_the_figures(centre, contact_id)
    _is_heard_by_those_allowed(centre, agent, contact_id, recording_id)


def _is_in_the_logs_and_the_store(centre: Centre, ticket_id: int) -> tuple[int, int]:
    pbx = centre.phones.pbx
    (visit,) = build_calls(read_queue_log([pbx.queue_log])[0]).visits
    assert (visit.queue, visit.exit_class) == ("crm-complaint", "answered")
    cel = pbx.state / "log" / "cel-custom" / "Master.csv"
    until(lambda: "LINKEDID_END" in cel.read_text(), "the call's end in CEL", 20)
    events = cel.read_text()
    assert visit.call in events
    recording = until(lambda: _recordings(centre, visit.call), "the recording with its contact")[0]
    with session_scope(centre.engine) as session:
        contact = session.scalars(select(Contact).where(Contact.external_id == visit.call)).one()
        stored = session.scalars(select(QueueVisit).where(QueueVisit.contact_id == contact.id)).one()
        ticket = session.get_one(Ticket, ticket_id)
        states = set(session.scalars(select(AgentStateInterval.state).where(AgentStateInterval.deleted_at.is_(None))))
        assert (contact.outcome, contact.customer_id) == ("answered", centre.site.customers["zhang"])
        assert ticket.contact_id == contact.id, "the complaint is this call's"
        assert int(stored.entered_at.timestamp()) == visit.entered_at
        assert stored.ended_at is not None
        assert int((stored.ended_at - stored.exited_at).total_seconds()) == visit.talk_seconds  # type: ignore[operator]  # both are told by then
        assert {"available", "alerting", "talk", "wrap_up"} <= states
        return contact.id, recording.id


def _recordings(centre: Centre, call: str) -> list[Recording]:
    with session_scope(centre.engine) as session:
        linked = select(Recording).join(Contact, Contact.id == Recording.contact_id)
        return list(session.scalars(linked.where(Contact.external_id == call, Recording.seconds > 2)))


def _is_in_the_figures(centre: Centre, contact_id: int) -> None:
    from cli.pipeline import run_pipeline
    from core.periods import Period
    from core.scope import PROVINCE
    from dashboards.data import Source
    from tests.warehouse.quick import quick
    from warehouse.kpi import kpi_table
    from warehouse.publication import current
    from warehouse.reader import open_reader

    with quick():
        run_pipeline(centre.settings)
    published = current(centre.settings)
    reader = open_reader(published, PROVINCE)
    fact = reader.rows("SELECT * FROM fct_contact WHERE contact_key = $contact", {"contact": contact_id}).iloc[0]
    assert (fact["channel_code"], fact["outcome"], bool(fact["has_ticket"])) == ("voice", "answered", True)
    assert fact["talk_seconds"] > 0
    row = kpi_table(reader, None, None, filters={"channel": ["voice"]}).iloc[0]
    assert (row["offered"], row["answered"], row["abandoned"], row["sl_negative"]) == (1, 1, 0, 1.0)
    assert kpi_table(reader, None, None).iloc[0]["complaints"] == 1
    today = to_local(utc_now()).date()
    asked = Source(published, PROVINCE).kpis(
        Period(today - timedelta(1), today), ("queue",), only=["offered", "answered"]
    )
    shown = asked.set_index("queue").loc["complaint"]
    assert (shown["offered"], shown["answered"]) == (1, 1), "what the dashboards' pages draw"


def _is_heard_by_those_allowed(centre: Centre, desk: PhoneDesk, contact_id: int, recording_id: int) -> None:
    page = f"/app/customers/{centre.site.customers['zhang']}"
    desk.open(page)
    assert desk.all("main h1")
    assert not desk.all("[hx-get$='/recordings']"), "an agent is offered no recordings"
    with desk.client() as client:
        assert client.get(f"/api/v1/recordings/{recording_id}").status_code == 403
    desk.sit_down("reviewer")
    desk.open(page)
    desk.one(f"[hx-get='/app/contacts/{contact_id}/recordings']").click()
    player = desk.one(f"audio[data-recording='{recording_id}']")
    desk.driver.execute_script("arguments[0].play()", player)
    until(lambda: desk.driver.execute_script("return arguments[0].currentTime", player) > 1, "the sound to go on", 20)
    assert desk.driver.execute_script("return arguments[0].duration", player) > 2
    desk.driver.execute_script("arguments[0].pause()", player)
    with session_scope(centre.engine) as session:
        heard = session.scalars(select(AuditEntry).where(AuditEntry.action == "recording.heard")).all()
        assert [(one.username, one.object_id) for one in heard] == [("reviewer", str(recording_id))]


def test_consultation_conference_transfer_and_a_supervisor_who_listens_and_pauses(
    centre: Centre, agent: PhoneDesk, second: PhoneDesk, tmp_path: Path
) -> None:
    agent.sit_down("agent")
    agent.wish("available", "available")
    caller = call_and_press(
        centre.phones.pbx.plan, tmp_path, CALLER, [(900, "1"), (900, "0")], then_ms=120_000, hang_up=False, echoes=True
    )
    agent.press("answer")
    agent.until_calls("talking")
    agent.press("mute")
    assert agent.text("[data-phone=mute]") == "取消静音"
    agent.press("mute")
    _supervise(second, agent)
    second.sit_down("agent2")
    colleague = second.phone("agent")
    agent.type_target(colleague)
    agent.press("consult")
    second.press("answer")
    agent.until_calls("held", "talking")
    agent.press("conference")
    agent.until_calls("talking", "talking")
    before = second.packets()[1]
    until(lambda: second.packets()[1] > before + 50, "the colleague hears", 20)
    agent.press("complete")
    agent.until_calls()
    second.until_calls("talking")
    second.press("end")
    second.until_calls()
    _let_go(caller)
    until(lambda: agent.phone("state") == "pause", "the forced pause after the call", 30)
    assert "班长安排" in agent.hidden_text("#phone-state")
    with session_scope(centre.engine) as session:
        acts = ("call.supervised", "agent.paused")
        told = session.scalars(select(AuditEntry).where(AuditEntry.action.in_(acts)).order_by(AuditEntry.id)).all()
        assert [(one.action, one.username, one.reason) for one in told] == [
            ("call.supervised", "supervisor", None),
            ("agent.paused", "supervisor", "Briefing at noon"),
        ]
    events, _ = read_queue_log([centre.phones.pbx.queue_log])
    assert any(event.kind == "ATTENDEDTRANSFER" for event in events)
    agent.wish("logged_out", "none")


def _let_go(caller: "subprocess.Popen[str]") -> None:
    """The caller's battery is empty: the survey is heard by nobody."""
    caller.kill()
    caller.communicate()


def _supervise(desk: PhoneDesk, agent: PhoneDesk) -> None:
    desk.sit_down("supervisor", "en")
    desk.one(".side a[href='/app/supervisor']").click()
    row = f"[data-agent='{agent.phone('agent')}']"
    until(lambda: desk.all(f"{row}[data-state=talk] [data-joining]"), "the agent's call on the supervisor's page", 20)
    assert desk.text("[data-figure=waiting]") == "0"
    desk.one(f"{row} [data-joining]").click()
    desk.until_calls("talking")
    assert desk.text(".phone-number").startswith("Listen ")
    until(lambda: desk.packets()[1] > 30, "the supervisor hears", 20)
    desk.press("end")
    desk.until_calls()
    desk.one("#supervise [name=reason]").send_keys("Briefing at noon")
    desk.one(f"{row} [hx-post$='/pause']").click()
    until(lambda: agent.phone("state") == "talk", "a pause that waits for the call's end")
