"""The centre's pages: what the busy hour needs, the loop's steps as the CRM has them, choices kept in the URL."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from dashboards.answers.lines import busy, lines_needed
from tests.dashboards.test_pages import open_page, url

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("erlangs", "blocking", "lines"), [(0.0, 0.01, 0), (10.0, 0.01, 18), (100.0, 0.01, 117), (5.0, 0.001, 14)]
)
def test_lines_are_those_of_the_tables_of_erlang_b(erlangs: float, blocking: float, lines: int) -> None:
    assert lines_needed(erlangs, blocking) == lines


def test_the_busy_hour_is_two_half_hours_in_a_row() -> None:
    days = pd.to_datetime(["2026-11-02"] * 4 + ["2026-11-03"])
    rows = pd.DataFrame(
        {
            "day": days,
            "half_hour": ["09:00", "09:30", "10:00", "14:00", "09:00"],
            "resource": "trunk",
            "busy_seconds": [1800, 3600, 5400, 5500, 6000],
            "peak": [2, 3, 4, 9, 5],
        }
    )
    found = busy(rows, "trunk")
    assert (found.day, found.begins, found.erlangs) == ("2026-11-02", "09:30", 2.5)
    assert (found.peak, found.peak_at) == (9, "2026-11-02 14:00")
    assert busy(rows, "ivr").peak == 0


def test_the_loop_s_steps_are_those_of_the_standard_process() -> None:
    process = yaml.safe_load((ROOT / "crm_api" / "tickets" / "process.yml").read_text(encoding="utf-8"))
    found: list[dict[str, object]] = []

    def look(node: object) -> None:
        if isinstance(node, dict):
            if {"code", "target_seconds", "side"} <= set(node):
                found.append(node)
            node = list(node.values())
        if isinstance(node, list):
            for each in node:
                look(each)

    look(process)
    text = (ROOT / "dbt" / "models" / "marts" / "tickets" / "dim_loop_step.sql").read_text(encoding="utf-8")
    rows = re.findall(r"\('(\w+)', \d+, '(\w+)', '(\S+?)', '([^']+)', (\w+)\)", text)
    marts = {(code, side, zh, en, None if target == "null" else int(target)) for code, side, zh, en, target in rows}
    assert len(marts) == len(rows) == 11
    assert marts == {
        (each["code"], each["side"], each["name_zh"], each["name_en"], each["target_seconds"]) for each in found
    }


@pytest.mark.usefixtures("published")
def test_queue_and_day_stand_in_the_url_and_narrow_the_figures() -> None:
    app = open_page("queue_performance", lang="en")
    whole = app.metric[0].value
    app.selectbox(key="choice_queue").select("fault").run()
    assert url(app)["queue"] == "fault" and app.metric[0].value != whole
    app.selectbox(key="choice_day").select("2026-11-03").run()
    assert url(app)["day"] == "2026-11-03" and not app.exception
    app.query_params["queue"] = "no<such"
    app.run()
    assert "nosuch" in app.warning[0].value and not app.exception


@pytest.mark.usefixtures("published")
def test_a_city_sees_no_lines_and_no_single_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_DASHBOARD_SCOPE", "yulin")
    app = open_page("resource_use", lang="en")
    assert "province" in app.info[0].value and not app.metric
    app = open_page("service_quality", lang="en")
    assert any("single agents" in each.value for each in app.caption)
