"""What goes on when the CRM or the exchange is away."""

import time
from pathlib import Path

import pytest

from tests.browser import until
from tests.end_to_end.conftest import serving
from tests.end_to_end.desk import Site
from tests.end_to_end.phone_desk import CALLER, Centre, PhoneDesk
from tests.telephony.keypad import call_and_press

pytestmark = pytest.mark.browser


def test_without_the_crm_calls_reach_agents(centre: Centre, agent: PhoneDesk, tmp_path: Path) -> None:
    with serving(centre.settings.home, CRM_PHONE_SOCKET=centre.phones.socket) as (url, server):
        desk = PhoneDesk(agent.driver, Site(url, centre.engine, centre.site.customers))
        desk.sit_down("agent")
        desk.wish("available", "available")
        server.kill()
        server.wait(20)
        keys = [(900, "1"), (900, "0")]
        caller = call_and_press(
            centre.phones.pbx.plan, tmp_path, CALLER, keys, then_ms=60_000, hang_up=False, echoes=True
        )
        desk.press("answer")
        desk.until_calls("talking")
        until(lambda: min(desk.packets()) > 50, "sound in both directions", 20)
        desk.press("end")
        desk.until_calls()
        caller.kill()
        caller.communicate()


def test_without_asterisk_the_desk_says_so_and_captures_by_hand(centre: Centre, agent: PhoneDesk) -> None:
    agent.sit_down("agent")
    centre.phones.pbx.kill()
    try:
        until(lambda: agent.phone("line") == "away", "the phone to notice", 20)
        assert "手工受理照常" in agent.text("#phone-line")
        until(lambda: agent.phone("state") == "unknown", "the state to be unknown", 30)
        began = time.monotonic()
        agent.one(".side a[href='/app/capture']").click()
        agent.one("textarea[name=text]").send_keys("电话系统中断时的手工受理")
        agent.one("[data-send]").click()
        agent.one("#made")
        assert time.monotonic() - began < 20
        with agent.client() as client:
            assert client.get("/api/v1/phone").json()["is_there"] is False
            assert client.put("/api/v1/phone/state", json={"state": "available"}).status_code == 503
    finally:
        centre.phones.pbx.start()
    until(lambda: agent.phone("line") == "registered", "the phone to be back", 60)
    until(lambda: agent.phone("state") != "unknown", "the state to be known again", 60)
