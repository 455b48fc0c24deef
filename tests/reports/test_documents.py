"""A report says the same in every form, in the reader's language, within the reader's scope."""

import io
import shutil
import subprocess
from datetime import date, timedelta

import openpyxl
import pytest

from core.i18n import LANGUAGES, Language, differences, texts
from core.periods import Period
from core.scope import PROVINCE, Scope
from core.settings import Settings
from reports.compose import StaleDataError, compose
from reports.document import Document
from reports.html import render
from reports.pdf import pdf
from reports.periods import period_with
from reports.source import Source, Unfinished
from reports.workbook import workbook
from tests.dashboards.marts import LAST
from warehouse.kpi import kpi_table
from warehouse.publication import current
from warehouse.reader import open_reader

WEEK = period_with("weekly", LAST)


def _document(home: Settings, scope: Scope = PROVINCE, language: Language = "zh-CN") -> Document:
    return compose(current(home), scope, WEEK, language)


def test_texts_agree() -> None:
    assert differences("reports") == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scope", [PROVINCE, Scope("baoji")], ids=["province", "baoji"])
def test_headlines_are_the_dictionarys_figures(home: Settings, scope: Scope, language: Language) -> None:
    document = _document(home, scope, language)
    reader = open_reader(current(home), scope)
    figures = kpi_table(reader, WEEK.period.first, WEEK.period.last).iloc[0]
    for line in document.headlines:
        assert line.value is None or line.value == pytest.approx(float(figures[line.code])), line.code
    assert document.headlines[0].value
    assert document.title in render(document, "page")[0]


def test_a_city_reads_nothing_of_another(home: Settings) -> None:
    document = _document(home, Scope("baoji"))
    for medium in ("page", "mail", "print"):
        html, _ = render(document, medium)  # type: ignore[arg-type]  # the media are those of the case
        assert "宝鸡" in html
        assert not any(city in html for city in ("西安", "渭南", "榆林"))
    names = {str(row[0]) for section in document.sections for row in section.rows}
    assert not names & {"西安", "渭南", "榆林"}


def test_the_pdf_is_searchable_in_chinese(home: Settings) -> None:
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext is missing: apt-get install poppler-utils")
    content = pdf(_document(home))
    text = subprocess.run([program, "-", "-"], input=content, capture_output=True, check=True).stdout.decode()
    for words in ("省公司周报", "服务水平", "接入渠道", "电话", "宝鸡"):
        assert words in text
    assert b"/Image" not in content, "charts are drawings, not pictures"


def test_the_workbook_has_numbers_charts_and_no_formulas(home: Settings) -> None:
    document = _document(home, language="en")
    book = openpyxl.load_workbook(io.BytesIO(workbook(document)))
    summary = book["Summary"]
    cells = {row[0].value: row for row in summary.iter_rows()}
    contacts = cells["Contacts"]
    assert contacts[1].value == document.headlines[0].value and contacts[1].data_type == "n"
    assert cells["Service level"][1].number_format == "0.00%"
    assert cells["Service level"][3].value in ("yes", "no")
    charts = {sheet.title: len(sheet._charts) for sheet in book.worksheets}
    assert charts["Day by day"] == 2 and charts["Access channels"] == 1 and charts["City by city"] == 1
    assert not [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def test_mail_stands_alone(home: Settings) -> None:
    html, pictures = render(_document(home), "mail")
    assert {f"cid:{picture.content_id}" for picture in pictures} <= set(html.replace('"', " ").split())
    assert "<script" not in html and "<svg" not in html and "http" not in html.replace("http-equiv", "")
    assert len(html) < 100_000, "larger mails are cut by mail readers"


def test_hostile_names_are_words(home: Settings) -> None:
    document = _document(home)
    evil = "<script>alert(1)</script>\"'=1+1"
    hostile = Document(**{**vars(document), "title": evil, "scope_name": evil})
    for medium in ("page", "mail", "print"):
        assert "<script>" not in render(hostile, medium)[0]  # type: ignore[arg-type]  # the media are those of the case
    book = openpyxl.load_workbook(io.BytesIO(workbook(hostile)))
    assert book.worksheets[0]["A1"].value == evil


def test_a_period_that_is_not_over_is_refused(home: Settings) -> None:
    following = period_with("weekly", date.fromordinal(LAST.toordinal() + 7))
    with pytest.raises(StaleDataError, match=str(following.period.last)):
        compose(current(home), PROVINCE, following, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rate_of_clocks_that_still_run_is_not_judged(
    home: Settings, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    assert {line.note for line in _document(home, language=language).headlines} == {""}
    monkeypatch.setattr(Source, "unfinished", lambda *_: Unfinished(200, 1, 80, 7))
    document = _document(home, language=language)
    lines = {line.code: line for line in document.headlines}
    late, answered = lines["resolution_met"], lines["first_response_met"]
    assert (late.meets, late.change.text, answered.note) == (None, "", "") and "40%" in late.note
    assert late.name not in " ".join(document.summary)
    assert any("80" in sentence and "40.0%" in sentence and "7" in sentence for sentence in document.quality)
    for medium in ("mail", "print"):
        assert late.note in render(document, medium)[0]  # type: ignore[arg-type]  # the media are those of the case


def test_a_past_that_the_data_cover_in_part_is_not_compared_with(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _document(home).headlines[0].before
    monkeypatch.setattr("reports.source.runs_of", lambda _: [Period(WEEK.before.first + timedelta(days=1), LAST)])
    document = _document(home)
    assert {(line.before, line.year_before) for line in document.headlines} == {(None, None)}
    sections = {section.code: section for section in document.sections}
    for code, columns in (("channels", (3, 4)), ("complaints", (3, 4)), ("loop", (3,))):
        assert {row[column] for row in sections[code].rows for column in columns} == {None}
    assert texts("reports", document.language)("quality.first_period") in document.quality


def test_the_page_fits_a_phone(home: Settings) -> None:
    html, _ = render(_document(home, language="en"), "page")
    # What is wider than the screen scrolls by itself; nothing else may set a width of its own.
    assert html.count("overflow-x:auto") == html.count('class="rows') > 0
    assert html.count("table-layout:fixed") >= 3
