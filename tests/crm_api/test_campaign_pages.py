"""Marketing's and the agent's way through the pages, from an empty form to an outcome."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from core.database import session_scope
from core.i18n import differences
from core.time import LOCAL, to_local, utc_now
from crm_api.campaigns import building
from crm_api.campaigns.models import Campaign
from crm_api.campaigns.settings import campaign_settings
from crm_api.customers.models import Consent
from ml.lists import solve
from tests.crm_api.world import World

Client = Callable[..., TestClient]


def _form(unit_id: int) -> dict[str, str]:
    today = to_local(utc_now()).date()
    return {
        "name": "秋季回馈",
        "code": "autumn",
        "goal": "stay",
        "purpose": "marketing",
        "starts_on": f"{today}",
        "ends_on": f"{today + timedelta(days=9)}",
        "opens": "08:00",
        "closes": "21:00",
        "offer_0": "loyalty_credit",
        "rate_0": "5.0",
        f"unit_{unit_id}": "20",
        "audience_kind": "any",
        "holdout_percent": "0",
        "max_attempts": "3",
        "retry_minutes": "240",
        "cap_contacts": "9",
        "cap_days": "30",
        "cooling_days": "90",
        "window_days": "30",
        "cost": "3.00",
        "script": "您好，这里是 96766",
    }


@pytest.fixture
def in_the_morning(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ten o'clock of a day without a holiday, for the rules and the desk."""
    local = to_local(utc_now())
    ten = datetime(local.year, local.month, local.day, 10, tzinfo=LOCAL)
    for module in ("dialling", "desk"):
        monkeypatch.setattr(f"crm_api.campaigns.{module}.utc_now", lambda: ten)
    monkeypatch.setattr("crm_api.campaigns.dialling.holidays_between", lambda *_: frozenset())
    monkeypatch.setattr("crm_api.campaigns.building.holidays_between", lambda *_: frozenset())
    monkeypatch.setattr(campaign_settings(), "global_holdout_percent", 0)


@pytest.mark.usefixtures("in_the_morning")
def test_from_the_form_to_an_outcome(web: Client, sqlite_world: tuple[Engine, World]) -> None:
    engine, world = sqlite_world
    own = world[("customer", "own")]
    with session_scope(engine) as session:
        agreed = datetime(2026, 1, 1, tzinfo=LOCAL).date()
        session.add(Consent(customer_id=own, channel="voice", purpose="marketing", granted=True, valid_from=agreed))
        for ticket in ("ticket", "work"):
            session.connection().exec_driver_sql(
                "UPDATE tickets SET state = 'cancelled' WHERE id = ?", (world[(ticket, "own")],)
            )
    marketing, boss, agent = web("marketing"), web("supervisor"), web("agent")
    for browser in (marketing, boss, agent):
        browser.headers["HX-Request"] = "true"
        browser.cookies.set("crm_language", "zh-CN")
    made = marketing.post("/app/campaigns", data=_form(world[("unit", "own")]))
    assert made.status_code == 200, made.text
    path = made.headers["HX-Push-Url"]
    tried = marketing.post(f"{path}/effects").text
    assert "若现在生成名单" in tried and "可以呼叫" in tried
    assert "等待后台程序" in marketing.post(f"{path}/build").text
    built = building.build_next(engine, solve)
    assert built is not None and (built.state, built.listed) == ("done", 1), built and built.failure
    assert "预期价值" in marketing.get(path).text
    reviewed = marketing.post(f"{path}/steps", data={"step": "review"}).text
    assert "须由另一人批准" in reviewed and "approve" not in reviewed
    assert marketing.post(f"{path}/steps", data={"step": "approve"}).status_code == 403
    for step in ("approve", "start"):
        assert boss.post(f"{path}/steps", data={"step": step}).status_code == 200
    with session_scope(engine) as session:
        campaign_id = session.scalars(select(Campaign.id).where(Campaign.code == "autumn")).one()
    taken = agent.post(f"/app/calls/{campaign_id}/next").text
    assert "张伟" in taken and "13891234567" not in taken, "no number before the check"
    entry = taken.split("/app/calls/entries/")[1].split("/")[0]
    assert "13891234567" in agent.post(f"/app/calls/entries/{entry}/check").text
    told = agent.post(f"/app/calls/entries/{entry}/outcome", data={"outcome": "accepted", "key": "desk-1"})
    assert "已记录" in told.text and "接受" in told.text
    file = marketing.get(f"{path}/file?kind=csv")
    assert file.status_code == 200 and "138****4567" in file.text
    assert agent.get("/app/campaigns").status_code == 403


def test_both_languages_say_the_same() -> None:
    assert differences("crm_api.campaigns") == []
