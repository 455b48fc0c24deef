"""A call from the caller's finger to the dashboards' figures, with nothing simulated but the people."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from cli.demo_telephony import Telephony, telephony
from core.database import make_engine, session_scope
from core.settings import Settings
from crm_api.audit.models import AuditEntry
from crm_api.contacts.models import Contact, QueueVisit
from crm_api.identity.service import create_demo_users
from crm_api.routing.models import Recording
from crm_api.tickets.models import Ticket
from crm_api.workforce.models import AgentStateInterval, Queue
from telephony.asterisk.plan import Ports
from telephony.asterisk.private import is_installed
from telephony.call_model import build_calls
from telephony.files import read_queue_log
from tests.browser import open_chromium, until
from tests.crm_api.world import PEOPLE, add_customer
from tests.end_to_end.conftest import serving
from tests.end_to_end.desk import Desk, Site
from tests.servers import free_port, missing
from tests.telephony.conftest import ROOT as ASTERISK
from tests.telephony.keypad import call_and_press

pytestmark = pytest.mark.browser

#: A browser with a microphone that beeps, and that may speak with an exchange on its own machine.
MICROPHONE = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
)
CALLER = PEOPLE["own"]["mobile"].removeprefix("+86")
QUEUES = (("general", "综合"), ("complaint", "投诉"))


@dataclass(frozen=True)
class Centre:
    """A contact centre that runs: its store, its exchange, its pages."""

    settings: Settings
    engine: Engine
    phones: Telephony
    site: Site
    server: Any


class PhoneDesk(Desk):
    """A desk with a telephone in its browser."""

    def sit_down(self, username: str, language: str = "zh-CN") -> None:
        """Sign in and wait until the phone is registered and telephony tells the agent's state."""
        super().sit_down(username, language)
        until(lambda: self.phone("line") == "registered", f"{username}'s phone")
        until(lambda: self.phone("state") != "unknown", "the agent's state")

    def phone(self, what: str) -> str:
        """An attribute of the telephone bar."""
        return str(self.driver.find_element("css selector", "#phone").get_attribute(f"data-{what}"))

    def calls(self) -> list[str]:
        """What each call does."""
        return [str(each.get_attribute("data-doing")) for each in self.all(".phone-call")]

    def wish(self, value: str, state: str) -> None:
        """Ask for a state and wait until telephony says so."""
        from selenium.webdriver.support.select import Select

        Select(self.one("#phone-wish")).select_by_value(value)
        until(lambda: self.phone("state") == state, f"the state {state}", 20)

    def press(self, action: str, number: int = 0) -> None:
        """A button of the call that stands at `number`."""
        self.one(f".phone-call:nth-of-type({number + 1}) [data-phone={action}]").click()

    def until_calls(self, *expected: str) -> None:
        """Until the calls do that."""
        until(lambda: self.calls() == list(expected), f"calls {expected}", 20)

    def packets(self) -> tuple[int, int]:
        """(sent, received) of the first call."""
        call = self.all(".phone-call")[0]
        return int(call.get_attribute("data-sent") or 0), int(call.get_attribute("data-received") or 0)


@pytest.fixture(scope="module")
def centre(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """Store, Asterisk, listener, IVR and pages; two queues; the demo's people have phones."""
    if os.geteuid() != 0:
        missing("root (Asterisk runs in a Debian system of its own)", "run the tests as root")
    if not is_installed(ASTERISK):
        missing("The private Asterisk", "run: make asterisk")
    home = tmp_path_factory.mktemp("phone")
    (home / "store").mkdir()
    shutil.copy(sqlite_template, home / "store" / "crm.sqlite")
    settings = Settings(home=home)
    engine = make_engine(settings)
    with session_scope(engine) as session:
        create_demo_users(session)
        zhang = add_customer(session, PEOPLE["own"], key_level="gold")
        session.add_all(Queue(code=code, name_zh=name, name_en=code, calendar_code="always") for code, name in QUEUES)
        customers = {"zhang": zhang.id}
    first = 40000 + 1000 * (free_port() % 20)
    ports = Ports(
        sip=free_port(), manager=free_port(), http=free_port(), agi=free_port(), rtp_first=first, rtp_last=first + 998
    )
    with ExitStack() as running:
        phones = running.enter_context(telephony(settings, ASTERISK, f"e2e-{ports.manager}", ports))
        running.callback(shutil.rmtree, phones.pbx.state, ignore_errors=True)
        url, server = running.enter_context(serving(home, CRM_PHONE_SOCKET=phones.socket))
        yield Centre(settings, engine, phones, Site(url, engine, customers), server)
    engine.dispose()


@pytest.fixture(scope="module")
def agent(centre: Centre, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoneDesk]:
    """The agent's desk."""
    with open_chromium(tmp_path_factory.mktemp("agent"), *MICROPHONE) as driver:
        yield PhoneDesk(driver, centre.site)


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
    agent.one(".pop.rang")
    pop = agent.text(".pop")
    assert "张伟" in pop, "the caller's number is known"
    assert "金卡" in pop
    assert "投诉" in agent.text(".pop-facts"), "the queue that the caller chose in the menu"
    assert "优先 20" in agent.text(".pop-facts")

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
    assert caller.wait(60) == 0, "the caller was asked how it was, and let go"

    _is_in_the_logs_and_the_store(centre, ticket_id)
    _is_in_the_figures(centre)
    agent.wish("logged_out", "none")


def _is_in_the_logs_and_the_store(centre: Centre, ticket_id: int) -> None:
    pbx = centre.phones.pbx
    (visit,) = build_calls(read_queue_log([pbx.queue_log])[0]).visits
    assert (visit.queue, visit.exit_class) == ("crm-complaint", "answered")
    cel = pbx.state / "log" / "cel-custom" / "Master.csv"
    until(lambda: "LINKEDID_END" in cel.read_text(), "the call's end in CEL", 20)
    events = cel.read_text()
    assert visit.call in events
    until(lambda: _recordings(centre, visit.call), "the recording with its contact")
    with session_scope(centre.engine) as session:
        contact = session.scalars(select(Contact).where(Contact.external_id == visit.call)).one()
        stored = session.scalars(select(QueueVisit).where(QueueVisit.contact_id == contact.id)).one()
        ticket = session.get_one(Ticket, ticket_id)
        states = set(session.scalars(select(AgentStateInterval.state).where(AgentStateInterval.deleted_at.is_(None))))
        assert (contact.outcome, contact.customer_id) == ("answered", centre.site.customers["zhang"])
        assert ticket.contact_id == contact.id, "the complaint is this call's"
        assert int(stored.entered_at.timestamp()) == visit.entered_at
        assert stored.ended_at is not None
        assert int((stored.ended_at - stored.exited_at).total_seconds()) == visit.talk_seconds  # type: ignore[operator]
        assert {"available", "talk", "wrap_up"} <= states


def _recordings(centre: Centre, call: str) -> list[Recording]:
    with session_scope(centre.engine) as session:
        linked = select(Recording).join(Contact, Contact.id == Recording.contact_id)
        return list(session.scalars(linked.where(Contact.external_id == call, Recording.seconds > 2)))


def _is_in_the_figures(centre: Centre) -> None:
    from cli.pipeline import run_pipeline
    from core.scope import PROVINCE
    from warehouse.kpi import kpi_table
    from warehouse.publication import current
    from warehouse.reader import open_reader

    run_pipeline(centre.settings)
    reader = open_reader(current(centre.settings), PROVINCE)
    row = kpi_table(reader, None, None, filters={"channel": ["voice"]}).iloc[0]
    assert (row["offered"], row["answered"], row["abandoned"], row["sl_negative"]) == (1, 1, 0, 1.0)
    assert kpi_table(reader, None, None).iloc[0]["complaints"] == 1


def test_consultation_conference_transfer_and_a_supervisor_who_listens(
    centre: Centre, agent: PhoneDesk, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    agent.sit_down("agent")
    agent.wish("available", "available")
    caller = call_and_press(
        centre.phones.pbx.plan, tmp_path, CALLER, [(900, "1"), (900, "0")], then_ms=120_000, hang_up=False, echoes=True
    )
    agent.press("answer")
    agent.until_calls("talking")
    agent.press("hold")
    agent.until_calls("held")
    agent.press("hold")
    agent.until_calls("talking")
    agent.press("mute")
    assert agent.text("[data-phone=mute]") == "取消静音"
    agent.press("mute")
    with open_chromium(tmp_path_factory.mktemp("second"), *MICROPHONE) as driver:
        second = PhoneDesk(driver, centre.site)
        _supervise(second, agent)
        second.sit_down("agent2")
        colleague = second.phone("agent")
        agent.one("#phone-dial [name=target]").send_keys(colleague)
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
    with session_scope(centre.engine) as session:
        told = session.scalars(select(AuditEntry).where(AuditEntry.action == "call.supervised")).one()
        assert (told.username, told.role) == ("supervisor", "supervisor")
    events, _ = read_queue_log([centre.phones.pbx.queue_log])
    assert any(event.kind == "ATTENDEDTRANSFER" for event in events)


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


def test_without_the_crm_calls_reach_agents(centre: Centre, agent: PhoneDesk, tmp_path: Path) -> None:
    """The last but one: the pages' server is ended here."""
    agent.sit_down("agent")
    agent.wish("available", "available")
    centre.server.kill()
    centre.server.wait(20)
    caller = call_and_press(
        centre.phones.pbx.plan, tmp_path, CALLER, [(900, "1"), (900, "0")], then_ms=60_000, hang_up=False, echoes=True
    )
    agent.press("answer")
    agent.until_calls("talking")
    until(lambda: min(agent.packets()) > 50, "sound in both directions", 20)
    agent.press("end")
    _let_go(caller)


def test_without_asterisk_the_desk_says_so_and_captures_by_hand(centre: Centre, agent: PhoneDesk) -> None:
    with serving(centre.settings.home, CRM_PHONE_SOCKET=centre.phones.socket) as (url, _):
        desk = PhoneDesk(agent.driver, Site(url, centre.engine, centre.site.customers))
        desk.sit_down("agent")
        centre.phones.pbx.kill()
        until(lambda: desk.phone("line") == "away", "the phone to notice", 20)
        assert "手工受理照常" in desk.text("#phone-line")
        until(lambda: desk.phone("state") == "unknown", "the state to be unknown", 30)
        began = time.monotonic()
        desk.one(".side a[href='/app/capture']").click()
        desk.one("textarea[name=text]").send_keys("电话系统中断时的手工受理")
        desk.one("[data-send]").click()
        desk.one("#made")
        assert time.monotonic() - began < 10
        with desk.client() as client:
            assert client.get("/api/v1/phone").json()["is_there"] is False
            assert client.put("/api/v1/phone/state", json={"state": "available"}).status_code == 503
