"""What an agent does with a call, in the browser and on a phone on the desk, against a real exchange."""

from datetime import timedelta
from typing import Any

import pytest

from core.time import to_local, utc_now
from tests.browser import until
from tests.crm_api.world import PEOPLE
from tests.end_to_end.desk import capture_complaint
from tests.end_to_end.phone_desk import AT_THE_DESK, CALLER, Centre, PhoneDesk
from tests.telephony.voice import Voice

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_keys_hold_numbers_that_do_not_exist_and_handing_on(centre: Centre, agent: PhoneDesk) -> None:
    agent.sit_down("agent")
    agent.wish("pause:lunch", "pause")
    assert "用餐" in agent.hidden_text("#phone-state")
    agent.wish("available", "available")
    helper = centre.phone_of(AT_THE_DESK)
    with (
        centre.caller("1", "0") as caller,
        Voice(centre.phones.pbx.plan, helper.agent.code, helper.endpoint.secret, tone=1300) as colleague,
    ):
        colleague.register()
        agent.press("answer")
        agent.until_calls("talking")
        agent.one(".phone-keys summary").click()
        for number, key in enumerate("15#", start=1):
            agent.one(f"[data-tone='{key}']").click()
            until(lambda heard="15#"[:number]: caller.keys == heard, f"the caller to hear {key}", 20)
        agent.press("hold")
        agent.until_calls("held")
        until(lambda: agent.phone("state") == "hold", "the state hold", 20)
        before = caller.received
        until(lambda: caller.received > before + 50, "the caller to hear music", 20)
        agent.press("hold")
        agent.until_calls("talking")

        agent.type_target("4711")
        agent.press("transfer")
        agent.wait_for("没有这个号码", "#phone-line")
        assert "通话仍在您这里" in agent.text("#phone-line")
        agent.type_target("4711")
        agent.press("consult")
        agent.wait_for("未接通：没有这个号码", "#phone-line")
        agent.until_calls("talking")

        centre.carrier.refuses = "404 Not Found"
        agent.type_target("09173260000")
        agent.press("transfer")
        agent.until_calls("incoming")
        assert agent.text(".phone-number") == "转接无人接听，客户转回自 09173260000"
        agent.press("answer")
        agent.until_calls("talking")

        agent.type_target(helper.agent.code)
        agent.press("transfer")
        colleague.answer()
        agent.until_calls()
        until(lambda: caller.hears(1300) and colleague.hears(900), "the two to hear each other", 20)
    agent.wish("logged_out", "none")


@pytest.mark.slow
def test_a_phone_on_the_desk_gets_calls_and_the_page_shows_them(centre: Centre, second: PhoneDesk) -> None:
    own = centre.phone_of(AT_THE_DESK)
    with Voice(centre.phones.pbx.plan, own.agent.code, own.endpoint.secret, tone=1300) as phone:
        phone.register()
        second.sit_down(AT_THE_DESK)
        assert second.text("#phone-line") == "使用桌面话机"
        second.wish("available", "available")
        assert _live(second)["queues"][0]["agents_available"] == 1
        with centre.caller("1", "3") as caller:
            until(lambda: phone.rings, "the phone on the desk to ring", 30)
            second.until_calls("incoming")
            assert "张伟" in second.text(".pop.rang")
            assert CALLER in second.text(".phone-number")
            assert not [each for each in second.all(".phone-call button") if each.is_displayed()]
            ringing = _live(second)
            assert ringing["agents_by_state"] == {"alerting": 1}, "a phone that rings is not available"
            assert [queue["agents_available"] for queue in ringing["queues"]] == [0, 0]
            phone.answer()
            second.until_calls("talking")
            until(lambda: caller.hears(1300) and phone.hears(900), "the two to hear each other", 20)
            phone.hold()
            second.until_calls("held")
            phone.hold(False)
            second.until_calls("talking")
            with centre.caller("1", "3"):
                until(lambda: _live(second)["waiting"] == 1, "the next caller to wait", 20)
                until(lambda: (_live(second)["longest_wait_seconds"] or 0) >= 1, "the wait to grow", 20)
            until(lambda: _live(second)["waiting"] == 0, "the next caller to have gone", 20)
            before = _live(second)
            assert before["agents_by_state"] == {"talk": 1}
            assert before["abandoned_today"] >= 1
            assert 0 < before["service_level_today"] < 1
            phone.hang_up()
        second.until_calls()
        until(lambda: second.phone("state") == "wrap_up", "wrap-up", 20)
        until(lambda: second.phone("state") == "available", "the end of wrap-up", 30)
        second.wish("logged_out", "none")


def _live(desk: PhoneDesk) -> dict[str, Any]:
    with desk.client() as client:
        told: dict[str, Any] = client.get("/api/v1/telephony/live").json()
    assert told["is_known"]
    return told


def test_numbers_are_dialled_with_a_click_and_stay_masked(centre: Centre, agent: PhoneDesk) -> None:
    ticket_id, number = capture_complaint(agent), PEOPLE["own"]["mobile"].removeprefix("+86")
    until(lambda: agent.phone("line") == "registered", "the phone")
    centre.carrier.refuses = ""
    agent.open(f"/app/customers/{centre.site.customers['zhang']}")
    until(lambda: agent.phone("line") == "registered", "the phone")
    assert number not in agent.driver.page_source
    agent.one("main .dial").click()
    centre.carrier.answer()
    assert f"sip:{number}@" in centre.carrier.called
    agent.until_calls("talking")
    assert agent.text(".phone-number") == f"呼出 {number[:3]}****{number[-4:]}"
    until(lambda: min(agent.packets()) > 50, "sound in both directions", 20)
    agent.press("end")
    agent.until_calls()
    until(lambda: not centre.carrier.is_talking, "the customer's phone to be free", 20)

    centre.carrier.refuses = "486 Busy Here"
    with agent.client() as client:
        due = f"{to_local(utc_now() + timedelta(hours=1)):%Y-%m-%dT%H:%M}"
        made = client.post("/app/callbacks", data={"number": "0917-3260001", "due_at": due})
        assert made.status_code == 200
    agent.follow(".side a[href='/app/callbacks']")
    for page, expected in (("callbacks", "09173260001"), ("ticket", number)):
        if page == "ticket":
            agent.follow(".side a[href='/app/tickets']")
            agent.follow(f"a[href='/app/tickets/{ticket_id}']")
        centre.carrier.called = ""
        agent.one("main .dial").click()
        until(lambda: f":{expected}@" in centre.carrier.called, f"the call from the page {page}", 20)  # noqa: B023 - it is asked within its round
        agent.until_calls()
