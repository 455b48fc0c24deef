"""docs/questions.md tells what the pages answer: each question is asked again of the same simulated province."""

import re

import pytest

from core.i18n import LANGUAGES, texts
from tests.dashboards.questions import PAGE, QUESTIONS, frame_of, simulated
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
