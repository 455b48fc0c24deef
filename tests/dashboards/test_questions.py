"""docs/questions.md tells what the pages answer, asked again of the same province; its rows are behind every mark."""

import importlib
import re
from collections.abc import Iterator
from pkgutil import iter_modules
from typing import Any

import pandas as pd
import pytest

import dashboards
from core.i18n import LANGUAGES, texts
from core.settings import get_settings
from dashboards import cards
from dashboards.behind import Behind, rows_behind
from dashboards.frame import Frame
from tests.dashboards.questions import PAGE, QUESTIONS, frame_of, simulated
from tests.dashboards.test_pages import open_page
from warehouse.publication import Publication


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    """The questions' province, simulated, built and published."""
    return simulated(tmp_path_factory.mktemp("questions") / "home")


def _told() -> dict[str, list[str]]:
    """Question (in English) → the cells of its row."""
    rows = re.findall(r"^\| \d+ \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {cells[0]: cells for cells in (row.split(" | ") for row in rows)}


def test_there_are_twenty_questions_of_pages_that_exist() -> None:
    assert len(QUESTIONS) == 20
    assert list(_told()) == [question.en for question in QUESTIONS.values()]
    for language in LANGUAGES:
        assert all(f"page.{question.page}" in texts("dashboards", language) for question in QUESTIONS.values())


@pytest.mark.parametrize("code", QUESTIONS)
def test_the_page_answers_as_written(publication: Publication, code: str) -> None:
    question = QUESTIONS[code]
    _, zh, _, answer_en, answer_zh = _told()[question.en]
    assert zh == question.zh
    assert question.answer(frame_of(publication, "en")) == answer_en
    assert question.answer(frame_of(publication, "zh-CN")) == answer_zh


#: Cards whose marks are counts → the column that says how many.
COUNTED = {
    "overview": {"trend_contacts": "value"},
    "access_channel": dict.fromkeys(
        ("channel_mix", "channel_shift", "channel_outcomes", "channel_types", "channel_cities"), "value"
    )
    | {"channel_journeys": "value", "channel_costs": "contacts"},
    "complaint_type": {"complaint_trend": "value", "complaint_products": "value", "complaint_repeats": "complaints"},
    "closed_loop": {
        "loop_funnel": "value",
        "loop_detours": "value",
        "loop_steps": "stays",
        "loop_clocks": "value",
        "loop_ages": "value",
    },
    "service_quality": {"quality_scores": "value", "quality_repeats": "complaints"},
    "data_quality": {"trust_rows": "value"},
}
MOST_MARKS = 6


@pytest.fixture
def opened(publication: Publication, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The province is what the pages show."""
    monkeypatch.setenv("CRM_HOME", str(publication.file.parents[1]))
    monkeypatch.setenv("CRM_DASHBOARD_SCOPE", "province")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize("page", COUNTED)
def test_the_rows_behind_a_mark_are_those_that_it_counts(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, tuple[Frame, pd.DataFrame, Behind]] = {}
    real = cards.card

    def watched(frame: Frame, name: str, table: pd.DataFrame, *given: Any, **more: Any) -> list[str]:
        if more.get("behind") is not None:
            drawn[name] = frame, table, more["behind"]
        return real(frame, name, table, *given, **more)

    # Views are run anew each time, the modules that they share keep the name that they once imported.
    names = [one.name for one in iter_modules(dashboards.__path__, "dashboards.") if one.name != "dashboards.app"]
    for module in [importlib.import_module(name) for name in names]:
        if getattr(module, "card", None) is real:
            monkeypatch.setattr(module, "card", watched)
    open_page(page, lang="en")
    for name, count in COUNTED[page].items():
        frame, table, behind = drawn[name]
        for _, mark in table.sort_values(count, ascending=False).head(MOST_MARKS).iterrows():
            total, rows = rows_behind(frame, behind, mark)
            assert total == mark[count], (name, mark.to_dict())
            assert len(rows) == min(total, 500)
