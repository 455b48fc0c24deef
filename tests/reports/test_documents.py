"""A report says the same in every form, in the reader's language, within the reader's scope."""

import io
import shutil
import subprocess
from datetime import date

import openpyxl
import pytest

from core.i18n import LANGUAGES, Language, differences
from core.scope import PROVINCE, Scope
from core.settings import Settings
from reports.compose import StaleDataError, compose
from reports.document import Document
from reports.html import render
from reports.pdf import pdf
from reports.periods import period_with
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
        html, _ = render(document, medium)  # type: ignore[arg-type]
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
        assert "<script>" not in render(hostile, medium)[0]  # type: ignore[arg-type]
    book = openpyxl.load_workbook(io.BytesIO(workbook(hostile)))
    assert book.worksheets[0]["A1"].value == evil


def test_a_period_that_is_not_over_is_refused(home: Settings) -> None:
    following = period_with("weekly", date.fromordinal(LAST.toordinal() + 7))
    with pytest.raises(StaleDataError, match=str(following.period.last)):
        compose(current(home), PROVINCE, following, "en")
