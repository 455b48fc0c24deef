"""A complaint's whole way in a real browser, by its people: agent, dispatcher, branch, county, reviewer."""

import pytest
from sqlalchemy import Engine, select

from core.database import session_scope
from crm_api.organisation.models import OrgUnit
from crm_api.tickets.history import disagreements
from crm_api.tickets.loop_models import TicketEventDetail
from crm_api.tickets.models import Ticket, TicketEvent
from tests.browser import until
from tests.end_to_end.desk import Desk, capture_complaint

pytestmark = pytest.mark.browser


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
    ticket_id = capture_complaint(desk)
    page = f"/app/tickets/{ticket_id}"

    desk.sit_down("dispatcher")
    desk.open("/app/dispatch")
    form = f"form[data-dispatch='{ticket_id}']"
    assert desk.one(f"{form} select").find_element("css selector", "option:checked").text == "宝鸡"
    desk.one(f"{form} button").click()
    until(lambda: not desk.all(form), "the ticket to leave the board")

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
