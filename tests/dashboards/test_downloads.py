"""Files that show what the page shows, and that Excel opens as they are meant."""

import csv
import io

import altair as alt
import openpyxl
import pandas as pd
import pytest

from dashboards.downloads import file_name, to_csv, to_png, to_xlsx


def _cells(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_byte_order_mark_lets_excel_read_chinese() -> None:
    content = to_csv(pd.DataFrame({"地市": ["西安"], "投诉量": [3]}))
    assert content.startswith(b"\xef\xbb\xbf")
    assert _cells(content) == [["地市", "投诉量"], ["西安", "3"]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_formulas_are_made_harmless(text: str) -> None:
    assert _cells(to_csv(pd.DataFrame({"name": [text], text: [1]})))[1][0] == f"'{text}"
    assert to_csv(pd.DataFrame({text: [1]})).decode("utf-8-sig").lstrip('"').startswith("'")


def test_negative_numbers_stay_numbers_and_null_is_empty() -> None:
    assert _cells(to_csv(pd.DataFrame({"change": [-1.5, None]})))[1:] == [["-1.5"], [""]]


def test_file_names_hold_nothing_that_a_file_system_refuses() -> None:
    assert file_name("pareto", "", "../x y", "20261001") == "pareto_..-x-y_20261001.csv"
    assert file_name("pareto", suffix="png") == "pareto.png"


def _book(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def test_a_workbook_holds_real_numbers_days_and_empty_cells() -> None:
    table = pd.DataFrame(
        {"地市": ["西安", None], "接通率": [0.8125, None], "量": [12, 3], "日": pd.to_datetime(["2026-10-01", None])}
    )
    content = to_xlsx(table, units={"接通率": "ratio", "量": "count"}, about=[("时段", "=1+1")], sheet="各地市: [a]")
    book = _book(content)
    page, about = book.worksheets
    assert page.title == "各地市   a"
    assert [cell.value for cell in page[2]] == ["西安", 0.8125, 12, pd.Timestamp("2026-10-01")]
    assert [cell.value for cell in page[3]] == [None, None, 3, None]
    assert [cell.number_format for cell in page[2]] == ["General", "0.00%", "#,##0", "yyyy-mm-dd"]
    assert page.freeze_panes == "A2"
    assert [cell.value for cell in about[1]] == ["时段", "'=1+1"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "@SUM(A1)", "https://example.com"])
def test_no_text_of_a_workbook_is_a_formula_or_a_link(text: str) -> None:
    cell = _book(to_xlsx(pd.DataFrame({"name": [text]}), sheet="x")).worksheets[0]["A2"]
    assert (cell.data_type, cell.hyperlink) == ("s", None)
    assert str(cell.value).lstrip("'") == text


def test_a_picture_is_the_chart_with_its_title() -> None:
    chart = alt.Chart(pd.DataFrame({"city": ["西安"], "value": [3]})).mark_bar().encode(x="value:Q", y="city:N")
    picture = to_png(chart, title="投诉量", below="2026-10-01 – 2026-10-28")
    assert picture.startswith(b"\x89PNG")
    width = int.from_bytes(picture[16:20], "big")
    assert width > 1800, "as sharp as on a good screen"
