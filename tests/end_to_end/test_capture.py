"""The capture frontend in a real browser: a complaint's whole way, by its people, and the desk's daily help."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import httpx
import pytest
from sqlalchemy import Engine, select

from core.database import make_engine, session_scope
from crm_api.capture.models import Draft
from crm_api.contacts.models import Contact
from crm_api.contacts.text_models import ContactText
from crm_api.identity.service import create_demo_users, demo_password
from crm_api.organisation.models import OrgUnit
from crm_api.tickets.history import disagreements
from crm_api.tickets.loop_models import TicketEventDetail
from crm_api.tickets.models import Ticket, TicketEvent
from tests.crm_api.world import PEOPLE, add_customer
from tests.servers import free_port, missing

ROOT = Path(__file__).parents[2]
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
)
PATIENCE = 30.0
LIBRARY = ROOT / "node_modules" / "htmx.org" / "dist" / "htmx.min.js"

pytestmark = pytest.mark.browser


def _until(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException

    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            if found := condition():
                return found
        except (NoSuchElementException, StaleElementReferenceException):
            pass
        time.sleep(0.05)
    pytest.fail(f"waited {patience:.0f} s for {what}")


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@dataclass(frozen=True)
class Site:
    """The served frontend and its store."""

    url: str
    engine: Engine
    customers: dict[str, int]


@pytest.fixture(scope="module")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`crm api` in a process of its own, over a store with the demo's people and three customers."""
    if not LIBRARY.exists():
        missing("htmx", "make setup fetches the browser libraries")
    home = tmp_path_factory.mktemp("capture")
    (home / "store").mkdir()
    shutil.copy(sqlite_template, home / "store" / "crm.sqlite")
    engine = make_engine(url=f"sqlite:///{home / 'store' / 'crm.sqlite'}")
    with session_scope(engine) as session:
        create_demo_users(session)
        zhang = add_customer(session, PEOPLE["own"], key_level="gold")
        wei = add_customer(
            session,
            {**PEOPLE["own"], "code": "C3", "name": "张薇", "mobile": "+8613772001122", "account": "63", "card": "83"},
        )
        li = add_customer(session, PEOPLE["foreign"])
        customers = {"zhang": zhang.id, "wei": wei.id, "li": li.id}
    port = free_port()
    environment = os.environ | {"CRM_HOME": str(home), "CRM_REQUESTS_PER_SECOND": "1000", "CRM_REQUESTS_BURST": "1000"}
    environment.pop("CRM_DATABASE_URL", None)
    server = subprocess.Popen([sys.executable, "-m", "cli.main", "api", "--port", str(port)], cwd=ROOT, env=environment)
    try:
        url = f"http://127.0.0.1:{port}"
        _until(lambda: _answers(url), "the server", 60)
        yield Site(url, engine, customers)
    finally:
        server.kill()
        server.wait(20)
        engine.dispose()


class Desk:
    """A browser at which people sit down, one after the other."""

    def __init__(self, driver: Any, site: Site) -> None:
        self.driver = driver
        self.site = site

    def all(self, selector: str) -> list[Any]:
        """The elements that match now."""
        return list(self.driver.find_elements("css selector", selector))

    def one(self, selector: str) -> Any:
        """The first visible element that matches, awaited."""
        return _until(lambda: next((each for each in self.all(selector) if each.is_displayed()), None), selector)

    def open(self, path: str) -> None:
        """Load a page as by its address."""
        self.driver.get(self.site.url + path)

    def sit_down(self, username: str, language: str = "zh-CN") -> None:
        """Sign in by the form."""
        self.driver.delete_all_cookies()
        self.open(f"/sign-in?lang={language}")
        self.one("[name=username]").send_keys(username)
        self.one("[name=password]").send_keys(demo_password(username))
        self.one("button.primary").click()
        self.one("#main h1")
        self.driver.execute_script("window.sameShell = true")

    def text(self, selector: str) -> str:
        """The visible text of the first element."""
        return str(self.one(selector).text)

    def wait_for(self, text: str, selector: str = "main") -> None:
        """Until `text` is to be read there."""
        _until(lambda: text in self.driver.find_element("css selector", selector).text, f"{text!r} in {selector}")

    def step(self, code: str, **fields: str) -> None:
        """Take a step on the ticket's page: open its form if it has one, fill it in, send it."""
        from selenium.webdriver.support.select import Select

        form, version = f"form[data-step={code}]", self._version()
        if self.all(f"{form} summary"):
            self.one(f"{form} summary").click()
        for name, value in fields.items():
            control = self.one(f"{form} [name={name}]")
            if control.tag_name == "select":
                Select(control).select_by_visible_text(value)
            else:
                control.clear()
                control.send_keys(value)
        self.one(f"{form} button").click()
        _until(lambda: self._version() > version, f"the step {code} on {self.driver.current_url}")

    def _version(self) -> int:
        return int(self.driver.find_element("css selector", "#ticket").get_attribute("data-version"))

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """A program that calls with this browser's session."""
        cookies = {cookie["name"]: cookie["value"] for cookie in self.driver.get_cookies()}
        with httpx.Client(base_url=self.site.url, cookies=cookies) as client:
            client.headers["X-CSRF-Token"] = client.get("/api/v1/session").json()["csrf_token"]
            yield client


@pytest.fixture(scope="module")
def desk(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A headless Chromium with a fresh profile."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        missing("Chromium", "install the packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = str(chromium)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(str(driver)))
    yield Desk(opened, site)
    opened.quit()


def _capture_complaint(desk: Desk) -> int:
    from selenium.webdriver.support.select import Select

    desk.sit_down("agent")
    desk.open(f"/app/capture?customer_id={desk.site.customers['zhang']}")
    assert "大客户" in desk.text(".beside .banner")
    desk.driver.execute_script("document.querySelector('[name=service_type_code][value=complaint]').click()")
    desk.one("textarea[name=text]").send_keys("机顶盒无信号，红灯常亮")
    Select(desk.one("[name=complaint_type_code]")).select_by_value("signal.digital_tv.no_picture")
    desk.one("[data-send-ticket]").click()
    link = desk.one("#made a")
    return int(link.get_attribute("href").rsplit("/", 1)[1])


def _try_to_close(desk: Desk, ticket_id: int, form: str) -> None:
    """A branch user sends the step `close`, in the page and as a program; both are refused and nothing changes."""
    script = "document.querySelector(arguments[0] + ' [name=step]').value = 'close'"
    desk.driver.execute_script(script, form)
    desk.driver.execute_script("document.querySelector(arguments[0]).requestSubmit()", form)
    desk.wait_for("您的岗位不能执行此操作", "#notice")
    assert desk.driver.find_element("css selector", "#notice .refusal").get_attribute("data-status") == "403"
    with desk.client() as program:
        page = program.post(f"/app/tickets/{ticket_id}/steps", data={"step": "close"})
        api = program.post(f"/api/v1/tickets/{ticket_id}/transitions", json={"step": "close"})
    assert page.status_code == 403
    assert page.headers["content-type"] == "application/problem+json"
    assert (api.status_code, api.json()["type"]) == (403, "urn:crm:problem:not-allowed")
    desk.open(f"/app/tickets/{ticket_id}")


def test_a_complaint_goes_its_whole_way(desk: Desk) -> None:
    ticket_id = _capture_complaint(desk)
    page = f"/app/tickets/{ticket_id}"

    desk.sit_down("dispatcher")
    desk.open("/app/dispatch")
    form = f"form[data-dispatch='{ticket_id}']"
    assert desk.one(f"{form} select").find_element("css selector", "option:checked").text == "宝鸡"
    desk.one(f"{form} button").click()
    _until(lambda: not desk.all(form), "the ticket to leave the board")

    desk.sit_down("baoji_handler")
    desk.open("/app/branch")
    desk.one(f"a[href='{page}']").click()
    desk.one("form[data-step=accept]")
    _try_to_close(desk, ticket_id, "form[data-step=accept]")
    desk.step("accept")
    desk.step("start")
    desk.step("sub_dispatch", unit_id="渭滨区", reason="请上门")

    desk.sit_down("weibin_handler")
    desk.open("/app/branch")
    desk.one(f"a[href='{page}']").click()
    desk.one("form[data-step=return_to_branch]")
    assert not desk.all("form[data-step=resolve]"), "the county's work returns to its branch"
    desk.step("return_to_branch", reason="已上门更换机顶盒")

    desk.sit_down("baoji_handler")
    desk.open(page)
    desk.step("resolve", resolution="更换机顶盒")

    desk.sit_down("reviewer")
    desk.open(page)
    desk.step("begin_review")
    desk.step("reject", reason="未写设备编号")

    desk.sit_down("baoji_handler")
    desk.open(page)
    desk.step("resolve", resolution="更换机顶盒，编号 8100000099")

    desk.sit_down("reviewer")
    desk.open(page)
    desk.step("begin_review")
    desk.step("approve")
    desk.one("form[data-step=close] button").click()
    desk.wait_for("尚未回访客户", "#notice")
    from selenium.webdriver.support.select import Select

    Select(desk.one("#call [name=score]")).select_by_visible_text("5")
    desk.one("#call button").click()
    desk.wait_for("5/5")
    desk.step("close")
    desk.wait_for("已归档", ".head")

    expected = [
        ("created", "agent", "new"),
        ("dispatched", "dispatcher", "dispatched"),
        ("accepted", "baoji_handler", "accepted"),
        ("started", "baoji_handler", "in_progress"),
        ("sub_dispatched", "baoji_handler", "in_progress"),
        ("sub_returned", "weibin_handler", "in_progress"),
        ("resolved", "baoji_handler", "resolved"),
        ("review_started", "reviewer", "in_review"),
        ("rejected", "reviewer", "in_progress"),
        ("resolved", "baoji_handler", "resolved"),
        ("review_started", "reviewer", "in_review"),
        ("approved", "reviewer", "follow_up"),
        ("closed", "reviewer", "closed"),
    ]
    shown = [
        (each.get_attribute("data-kind"), each.get_attribute("data-to"))
        for each in reversed(desk.all(".history [data-event]"))
    ]
    assert shown == [(kind, state) for kind, _, state in expected]
    _check_history(desk.site.engine, ticket_id, expected)
    assert {each.get_attribute("data-clock"): each.get_attribute("data-standing") for each in desk.all(".clock")} == {
        "first_response": "met",
        "resolution": "met",
    }


def _check_history(engine: Engine, ticket_id: int, expected: list[tuple[str, str, str]]) -> None:
    with session_scope(engine) as session:
        rows = session.execute(
            select(TicketEvent, TicketEventDetail, OrgUnit.code)
            .join(TicketEventDetail, TicketEventDetail.event_id == TicketEvent.id)
            .join(OrgUnit, OrgUnit.id == TicketEvent.unit_id)
            .where(TicketEvent.ticket_id == ticket_id)
            .order_by(TicketEvent.event_number)
        ).all()
        ticket = session.get_one(Ticket, ticket_id)
        assert disagreements(session, ticket_id) == []
    assert [(event.kind, event.actor, event.to_state) for event, _, _ in rows] == expected
    homes = {"baoji_handler": "baoji", "weibin_handler": "baoji.weibin"}
    elapsed = 0.0
    for event, detail, unit in rows:
        assert unit == homes.get(event.actor or "", "province")
        assert set(detail.clocks) == {"first_response", "resolution"}
        first, resolution = detail.clocks["first_response"], detail.clocks["resolution"]
        done = event.to_state in ("resolved", "in_review", "follow_up", "closed")
        assert resolution["standing"] == ("met" if done else "running"), event.kind
        assert (first["standing"] == "met") == (event.event_number >= 3), event.kind
        assert resolution["elapsed_seconds"] >= elapsed, "a clock never runs backwards"
        elapsed = resolution["elapsed_seconds"]
    reasons = {event.kind: event.reason for event, _, _ in rows if event.reason}
    assert reasons == {"sub_dispatched": "请上门", "sub_returned": "已上门更换机顶盒", "rejected": "未写设备编号"}
    assert ticket.state == "closed"
    # The second resolution counts: the rejected one resumed the clock.
    assert ticket.resolved_at == rows[9][0].occurred_at


def test_a_consultation_is_logged_with_the_keyboard_alone(desk: Desk) -> None:
    from selenium.webdriver import ActionChains, Keys

    desk.sit_down("agent")
    began = time.monotonic()
    ActionChains(desk.driver).send_keys("n").perform()
    _until(lambda: desk.driver.execute_script("return document.activeElement.name") == "text", "the text field")
    keys = ActionChains(desk.driver).send_keys("咨询营业厅时间 ;ok ")
    keys.key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(Keys.CONTROL).perform()
    desk.one("#made")
    assert time.monotonic() - began < 15
    assert desk.driver.execute_script("return window.sameShell") is True, "the shell was not loaded again"
    with session_scope(desk.site.engine) as session:
        contact = session.scalars(select(Contact).order_by(Contact.id.desc()).limit(1)).one()
        note = session.scalars(select(ContactText).where(ContactText.contact_id == contact.id)).one()
    assert (contact.service_type_code, contact.channel_code, contact.outcome) == ("consultation", "voice", "answered")
    assert note.body == "咨询营业厅时间 已向客户解释，客户表示理解。"


def test_a_call_pops_up_with_everybody_whom_the_number_may_mean(desk: Desk) -> None:
    desk.sit_down("agent")
    _until(lambda: desk.all("#live.on"), "the live line")
    with desk.client() as program:
        said = program.post("/api/v1/screen-pops", json={"username": "agent", "number": "0917-3260000"})
    assert said.status_code == 202
    desk.wait_for("来电", "#pop")
    names = [each.text for each in desk.all("#pop tbody tr td:first-child a")]
    assert names == ["张伟", "张薇"], "the key customer first, none chosen"
    desk.all("#pop tbody tr td:first-child a")[0].click()
    desk.wait_for("大客户 · 金卡")
    assert "138****4567" in desk.text("main")
    assert desk.driver.execute_script("return window.sameShell") is True


def test_what_was_typed_survives_leaving_the_form(desk: Desk) -> None:
    desk.sit_down("agent2")
    desk.open("/app/capture")
    desk.one("textarea[name=text]").send_keys("说到一半")
    desk.wait_for("草稿已保存")
    desk.open("/app/tickets")
    desk.open("/app/capture")
    assert desk.one("textarea[name=text]").get_attribute("value") == "说到一半"
    with session_scope(desk.site.engine) as session:
        assert session.scalars(select(Draft).where(Draft.place == "capture")).all()


def test_a_customer_is_chosen_and_the_language_changed_without_losing_what_was_typed(desk: Desk) -> None:
    desk.sit_down("agent2")
    desk.open("/app/capture")
    desk.driver.execute_script("window.sameShell = true")
    text = desk.one("textarea[name=text]")
    text.clear()
    text.send_keys("网速慢")
    desk.one(".beside [name=q]").send_keys("zhangwei")
    _until(lambda: len(desk.all("#results tbody tr")) >= 1, "the matches")
    desk.one("#results tbody tr:first-child a.button").click()
    desk.one(".who-is a")
    assert desk.text(".who-is a") == "张伟"
    assert desk.one("textarea[name=text]").get_attribute("value") == "网速慢"
    desk.one(".look summary").click()
    desk.one(".look [name=language][value=en]").click()
    desk.wait_for("Answered at once")
    assert desk.driver.find_element("css selector", "html").get_attribute("lang") == "en"
    assert desk.one("textarea[name=text]").get_attribute("value") == "网速慢"
    assert desk.driver.execute_script("return window.sameShell") is True


def test_script_in_text_is_text(desk: Desk) -> None:
    hostile = "<img src=x onerror='window.harmed=1'><script>window.harmed=1</script>"
    desk.sit_down("agent")
    desk.open("/app/capture")
    desk.driver.execute_script("document.querySelector('[name=service_type_code][value=suggestion]').click()")
    desk.one("textarea[name=text]").send_keys(hostile)
    desk.one("[data-send-ticket]").click()
    desk.one("#made a").click()
    desk.one("#ticket")
    assert hostile in desk.text("#ticket .title") or hostile[:80] in desk.text("#ticket .title")
    assert desk.driver.execute_script("return window.harmed") is None


def test_somebody_else_editing_is_seen(desk: Desk) -> None:
    ticket_id = _capture_complaint(desk)
    with httpx.Client(base_url=desk.site.url, follow_redirects=True) as other:
        other.post("/sign-in", data={"username": "supervisor", "password": demo_password("supervisor")})
        other.headers["X-CSRF-Token"] = other.get("/api/v1/session").json()["csrf_token"]
        desk.open(f"/app/tickets/{ticket_id}")
        other.post(f"/app/tickets/{ticket_id}/presence", data={"editing": "1"})
        desk.open(f"/app/tickets/{ticket_id}")
        desk.wait_for("班长 正在编辑", "#presence")
        _until(lambda: desk.all("#live.on"), "the live line")
        other.post(f"/app/tickets/{ticket_id}/edit", data={"version": "1", "priority": "urgent"})
        desk.wait_for("此工单刚刚被别人更新")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_is_quiet_and_says_its_name(desk: Desk, language: str) -> None:
    from core.i18n import texts

    text = texts("crm_api.capture", language)  # type: ignore[arg-type]
    for username, codes in (
        ("supervisor", ("capture", "customers", "tickets", "dispatch", "review", "follow_up", "callbacks", "monitor")),
        ("baoji_handler", ("branch", "monitor")),
    ):
        desk.sit_down(username, language)
        desk.driver.get_log("browser")
        for code in codes:
            name = text(f"menu.{code}")
            next(each for each in desk.all(".side a") if each.text.startswith(name)).click()
            _until(lambda name=name: desk.text("#main h1").startswith(name), name)
            assert desk.driver.title.startswith(name)
        assert desk.driver.execute_script("return window.sameShell") is True
        assert [entry for entry in desk.driver.get_log("browser") if entry["level"] == "SEVERE"] == []
        loaded = desk.driver.execute_script("return performance.getEntriesByType('resource').map(each => each.name)")
        assert [each for each in loaded if not each.startswith((desk.site.url, "data:"))] == []
