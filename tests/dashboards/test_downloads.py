"""CSV files that Excel opens as they are meant."""

import csv
import io

import pandas as pd
import pytest

from dashboards.downloads import file_name, to_csv


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
