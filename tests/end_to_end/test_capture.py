"""The agents' daily help in a real browser: keyboard, screen pop, drafts, languages, who else is editing."""

import time

import httpx
import pytest
from sqlalchemy import select

from core.database import session_scope
from core.i18n import LANGUAGES, Language, texts
from crm_api.capture.models import Draft
from crm_api.contacts.models import Contact
from crm_api.contacts.text_models import ContactText
from crm_api.identity.service import demo_password
from tests.browser import until
from tests.end_to_end.desk import Desk, capture_complaint

pytestmark = pytest.mark.browser


def test_a_consultation_is_logged_with_the_keyboard_alone(desk: Desk) -> None:
    from selenium.webdriver import ActionChains, Keys

    desk.sit_down("agent")
    began = time.monotonic()
    ActionChains(desk.driver).send_keys("n").perform()
    until(lambda: desk.driver.execute_script("return document.activeElement.name") == "text", "the text field")
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
    until(lambda: desk.all("#live.on"), "the live line")
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
    until(lambda: len(desk.all("#results tbody tr")) >= 1, "the matches")
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
    ticket_id = capture_complaint(desk)
    with httpx.Client(base_url=desk.site.url, follow_redirects=True, timeout=60) as other:
        other.post("/sign-in", data={"username": "supervisor", "password": demo_password("supervisor")})
        other.headers["X-CSRF-Token"] = other.get("/api/v1/session").json()["csrf_token"]
        desk.open(f"/app/tickets/{ticket_id}")
        other.post(f"/app/tickets/{ticket_id}/presence", data={"editing": "1"})
        desk.open(f"/app/tickets/{ticket_id}")
        desk.wait_for("班长 正在编辑", "#presence")
        until(lambda: desk.all("#live.on"), "the live line")
        other.post(f"/app/tickets/{ticket_id}/edit", data={"version": "1", "priority": "urgent"})
        desk.wait_for("此工单刚刚被别人更新")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_quiet_and_says_its_name(desk: Desk, language: Language) -> None:
    text = texts("crm_api.capture", language)
    for username, codes in (
        ("supervisor", ("capture", "customers", "tickets", "dispatch", "review", "follow_up", "callbacks", "monitor")),
        ("baoji_handler", ("branch", "monitor")),
    ):
        desk.sit_down(username, language)
        desk.driver.get_log("browser")
        for code in codes:
            name = text(f"menu.{code}")
            next(each for each in desk.all(".side a") if each.text.startswith(name)).click()
            until(lambda name=name: desk.text("#main h1").startswith(name), name)
            assert desk.driver.title.startswith(name)
        assert desk.driver.execute_script("return window.sameShell") is True
        assert [entry for entry in desk.driver.get_log("browser") if entry["level"] == "SEVERE"] == []
        loaded = desk.driver.execute_script("return performance.getEntriesByType('resource').map(each => each.name)")
        assert [each for each in loaded if not each.startswith((desk.site.url, "data:"))] == []
