"""The frontend's newer pages in a real browser: what is drawn while one edits, merged, chosen and never taken away."""

import httpx
import pytest

from core.database import session_scope
from crm_api.identity.service import demo_password
from crm_api.tickets.models import Ticket
from tests.browser import until
from tests.end_to_end.desk import Desk, capture_complaint

pytestmark = pytest.mark.browser


def test_the_process_is_drawn_and_checked_as_it_is_edited(desk: Desk) -> None:
    desk.sit_down("boss", "en")
    desk.open("/app/process")
    desk.one("#look svg [data-state=in_progress]")
    desk.driver.get_log("browser")
    row = "document.querySelector('[name$=\".code\"][value=close]').name.split('.')[1]"
    click = f"document.querySelector('[name=\"step.' + {row} + '.roles\"][value=branch_handler]').click()"
    desk.driver.execute_script(click)
    desk.wait_for("Only the province may", "#look")
    until(
        lambda: (
            "wrong" in desk.driver.find_element("css selector", "[data-edge=follow_up-closed]").get_attribute("class")
        ),
        "the way",
    )
    until(lambda: "Only the province" in desk.driver.find_element("css selector", "#step-at-close").text, "the place")
    desk.one("#activate").click()
    desk.wait_for("Not activated", "#told-process")
    desk.driver.execute_script(click)
    desk.wait_for("The checker finds nothing", "#look")
    desk.one("#save-draft").click()
    desk.wait_for("The draft is saved", "#told-process")


def test_two_peoples_edits_of_one_field_are_merged_on_the_page(desk: Desk) -> None:
    from selenium.webdriver.support.select import Select

    ticket_id = capture_complaint(desk)
    desk.sit_down("supervisor")
    desk.open(f"/app/tickets/{ticket_id}")
    with httpx.Client(base_url=desk.site.url, follow_redirects=True, timeout=60) as other:
        other.post("/sign-in", data={"username": "dispatcher", "password": demo_password("dispatcher")})
        other.headers["X-CSRF-Token"] = other.get("/api/v1/session").json()["csrf_token"]
        changed = {"version": "1", "priority": "urgent", "was_priority": "normal"}
        assert other.post(f"/app/tickets/{ticket_id}/edit", data=changed).status_code == 200
    desk.driver.execute_script("document.querySelector('form[data-step=edit]').closest('details').open = true")
    form = "form[data-step=edit]"
    Select(desk.one(f"{form} [name=priority]")).select_by_value("low")
    title = desk.one(f"{form} [name=title]")
    title.clear()
    title.send_keys("红灯常亮，无信号")
    desk.driver.execute_script("document.querySelector(arguments[0]).requestSubmit()", form)
    desk.wait_for("您和同事同时修改了这些内容", "#clash")
    assert {"紧急", "低"} == {each.text for each in desk.all("#clash ins")}
    desk.one("#clash [name=priority][value=low]").click()
    desk.one("#clash button.primary").click()
    until(lambda: not desk.all("#clash"), "the merge to be saved")
    with session_scope(desk.site.engine) as session:
        ticket = session.get_one(Ticket, ticket_id)
        assert (ticket.title, ticket.priority) == ("红灯常亮，无信号", "low")


def test_a_suggested_complaint_type_is_taken_with_the_keyboard(desk: Desk) -> None:
    desk.sit_down("agent")
    desk.open("/app/capture")
    desk.driver.execute_script("document.querySelector('[name=service_type_code][value=complaint]').click()")
    # What the server answers where a model is plugged in; this one learned nothing yet.
    chip = "<button type=button data-suggest=signal.digital_tv.no_picture data-number=1>;1</button>"
    script = "document.querySelector('#capture').insertAdjacentHTML('beforeend', arguments[0])"
    desk.driver.execute_script(script, chip)
    area = desk.one("textarea[name=text]")
    area.clear()
    area.send_keys("无信号 ;1 红灯")
    chosen = "return document.querySelector('[name=complaint_type_code]').value"
    assert desk.driver.execute_script(chosen) == "signal.digital_tv.no_picture"
    assert area.get_attribute("value") == "无信号 红灯"


def test_many_tickets_are_chosen_tried_and_changed(desk: Desk) -> None:
    from selenium.webdriver.support.select import Select

    tickets = {capture_complaint(desk) for _ in range(2)}
    desk.sit_down("supervisor")
    desk.open("/app/tickets?state=new")
    desk.one("[data-all]").click()
    assert len(desk.all("#results [name=ticket_id]:checked")) >= len(tickets)
    Select(desk.one("#many [name=action]")).select_by_value("priority")
    Select(desk.one("#many [name=priority]")).select_by_value("high")
    desk.one("#many button").click()
    desk.one("#sure").click()
    desk.one("#undo")
    with session_scope(desk.site.engine) as session:
        assert {session.get_one(Ticket, each).priority for each in tickets} == {"high"}
    desk.one("#undo").click()
    desk.wait_for("已撤回")
    with session_scope(desk.site.engine) as session:
        assert {session.get_one(Ticket, each).priority for each in tickets} == {"normal"}


def test_no_key_of_the_browser_is_taken(desk: Desk) -> None:
    desk.sit_down("agent")
    script = """
    const taken = [];
    const keys = [...'abcdefghijklmnopqrstuvwxyz0123456789', 'Tab', 'F1', 'F3', 'F5', 'F6', 'F11', 'F12', 'ArrowLeft'];
    for (const place of [document.body, document.querySelector('#number')])
      for (const key of keys)
        for (const held of [{ctrlKey: true}, {altKey: true}, {metaKey: true}, {ctrlKey: true, shiftKey: true}]) {
          const event = new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true, ...held});
          if (!place.dispatchEvent(event)) taken.push(JSON.stringify(held) + key);
        }
    for (const key of ['Tab', 'F1', 'F3', 'F5', 'F6', 'F11', 'F12', 'PageDown', ' ', 'Home']) {
      const event = new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true});
      if (!document.body.dispatchEvent(event)) taken.push(key);
    }
    return taken;
    """
    assert desk.driver.execute_script(script) == []
