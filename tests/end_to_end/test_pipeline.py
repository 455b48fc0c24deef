"""The pipeline from a real store to pages, in the places and states that people find it in."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from cli.pipeline import run_pipeline
from core.database import make_engine
from core.i18n import texts
from core.scope import PROVINCE
from core.settings import Settings, get_settings
from warehouse.kpi import days_held, kpi_table
from warehouse.publication import current
from warehouse.reader import open_reader

ROOT = Path(__file__).parents[2]


@pytest.fixture
def awkward_home(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A home whose path has what SQL, globs and shells read otherwise, with a store just made by `crm init`."""
    home = tmp_path / "it's [the] 省 home"
    (home / "store").mkdir(parents=True)
    shutil.copy(sqlite_template, home / "store" / "crm.sqlite")
    monkeypatch.setenv("CRM_HOME", str(home))
    monkeypatch.setenv("CRM_DASHBOARD_SCOPE", "province")
    monkeypatch.delenv("CRM_DATABASE_URL", raising=False)
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


def page(**params: str) -> Any:
    app = AppTest.from_file(str(ROOT / "dashboards" / "app.py"), default_timeout=60)
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception[0].stack_trace
    return app


def test_an_empty_store_and_then_one_with_removed_people_in_an_awkward_place(awkward_home: Settings) -> None:
    result = run_pipeline(awkward_home)
    reader = open_reader(current(awkward_home), PROVINCE)
    assert days_held(reader) is None
    assert kpi_table(reader, None, None, kpis=["contacts", "sl_negative"])["contacts"].item() == 0
    for language in ("zh-CN", "en"):
        told = page(lang=language).info[0].value
        assert told == texts("dashboards", language)("empty.no_figures", run=result.run_id)

    _call_of_somebody_who_left()
    run_pipeline(awkward_home)
    reader = open_reader(current(awkward_home), PROVINCE)
    figures = kpi_table(reader, None, None, by=["agent"], kpis=["answered"]).set_index("agent")["answered"]
    assert figures.to_dict() == {"A1": 1}
    queues = kpi_table(reader, None, None, by=["queue"], kpis=["answered"]).set_index("queue")["answered"]
    assert queues.to_dict() == {"general": 1}
    visits = reader.rows(
        "select agent.code as agent, queue.code as queue, seat.code as seat from fct_queue_visit"
        " inner join dim_agent as agent using (agent_key) inner join dim_queue as queue using (queue_key)"
        " inner join dim_seat as seat using (seat_key)"
    )
    assert visits.to_dict("records") == [{"agent": "A1", "queue": "general", "seat": "S1"}]
    assert len(page(lang="en").metric) == 8


def _call_of_somebody_who_left() -> None:
    """One answered call; its agent, queue and seat were removed (a tombstone) before anything was loaded."""
    gone = "2026-11-20 02:00:00.000000"
    start, answered, end = (f"2026-11-10 02:0{minute}:00.000000" for minute in (0, 1, 4))
    rows: list[tuple[str, dict[str, Any]]] = [
        ("queues", {"id": 1, "code": "general", "name_zh": "综合", "name_en": "General", "is_priority": False,
                    "target_seconds": 20, "calendar_code": "hotline", "deleted_at": gone}),
        ("agents", {"id": 1, "code": "A1", "name": "王小明", "unit_id": None, "deleted_at": gone}),
        ("seats", {"id": 1, "code": "S1", "centre_code": "main", "unit_id": None, "calendar_code": "hotline",
                   "installed_on": "2026-01-01", "deleted_at": gone}),
        ("contacts", {"id": 1, "channel_code": "voice", "external_id": "call-1", "direction": "in",
                      "started_at": start, "ended_at": end, "outcome": "answered", "is_self_served": False,
                      "source": "captured"}),
        ("queue_visits", {"id": 1, "contact_id": 1, "visit_number": 1, "queue_id": 1, "agent_id": 1, "seat_id": 1,
                          "entered_at": start, "exited_at": answered, "ended_at": end, "exit_class": "answered",
                          "is_transferred": False}),
    ]  # fmt: skip
    engine = make_engine()
    with engine.begin() as connection:
        unit = connection.execute(text("SELECT id FROM org_units WHERE code = 'province'")).scalar_one()
        for table, values in rows:
            filled = {name: unit if name == "unit_id" else value for name, value in values.items()}
            names = ", ".join(filled)
            marks = ", ".join(f":{name}" for name in filled)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), filled)
    engine.dispose()
