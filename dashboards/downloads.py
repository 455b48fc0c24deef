"""What a page shows as files: tables as CSV and XLSX that open as they are meant, charts as PNG."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from io import BytesIO
from typing import Any

import pandas as pd

from core.spreadsheet import harmless

#: A chart's inner width and the pixels per unit in a PNG: sharp on paper across a page.
PNG_WIDTH, PNG_SCALE = 900, 2
#: Excel's formats of KPI units; what has none stays as it is.
NUMBER_FORMATS = {"ratio": "0.00%", "count": "#,##0", "seconds": "#,##0.0", "per_thousand": "0.00", "score": "0.00"}
WIDEST = 48


def _safe(table: pd.DataFrame) -> pd.DataFrame:
    """The table with headings and texts that no spreadsheet runs; numbers as they are."""
    safe = table.rename(columns=lambda name: harmless(str(name)))
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = safe[name].map(harmless)
    return safe


def to_csv(table: pd.DataFrame) -> bytes:
    """The table as UTF-8 CSV with a byte-order mark (Excel then reads Chinese), formulas made harmless."""
    return _safe(table).to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def to_xlsx(
    table: pd.DataFrame, *, units: Mapping[str, str] | None = None, about: Sequence[tuple[str, str]] = (), sheet: str
) -> bytes:
    """The table as a workbook: numbers are numbers, days are days, NULL is an empty cell.

    Args:
        table: as it is shown.
        units: unit of a column (core.kpi), for its number format.
        about: what the file is (label, value), on a second sheet; none without.
        sheet: name of the first sheet; at most 31 letters count.
    """
    import xlsxwriter

    made = BytesIO()
    # Texts are never taken for formulas or addresses, and nothing is written beside the file.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(made, options) as book:
        page = book.add_worksheet(_sheet_name(sheet))
        bold, safe = book.add_format({"bold": True, "bottom": 1}), _safe(table)
        for place, name in enumerate(safe.columns):
            unit = (units or {}).get(table.columns[place], "")
            look = book.add_format({"num_format": NUMBER_FORMATS.get(unit, "General")})
            day = book.add_format({"num_format": "yyyy-mm-dd"})
            page.write_string(0, place, str(name), bold)
            for line, value in enumerate(safe[name], start=1):
                _write(page, line, place, value, look, day)
            page.set_column(place, place, min(WIDEST, _width(str(name), safe[name])))
        page.freeze_panes(1, 0)
        if about:
            _write_about(book, about)
    return made.getvalue()


def _sheet_name(name: str) -> str:
    return "".join(" " if letter in "[]:*?/\\" else letter for letter in name).strip(" '")[:31] or "1"


def _width(heading: str, values: pd.Series) -> int:
    longest = max((len(str(value)) for value in values.head(200)), default=0)
    return max(8, 2 * len(heading) if not heading.isascii() else len(heading), longest) + 2


def _write(page: Any, line: int, place: int, value: object, look: Any, day: Any) -> None:
    if value is None or bool(pd.isna(value)):  # type: ignore[call-overload]  # a cell is one value
        return
    if isinstance(value, datetime | date):
        moment = pd.Timestamp(value)
        plain = moment.tz_convert("Asia/Shanghai").tz_localize(None) if moment.tzinfo else moment
        page.write_datetime(line, place, plain.to_pydatetime(), day)
    elif isinstance(value, str):
        page.write_string(line, place, value)
    elif isinstance(value, bool):
        page.write_boolean(line, place, value)
    else:
        page.write_number(line, place, float(value), look)  # type: ignore[arg-type]  # a number of pandas


def _write_about(book: Any, about: Sequence[tuple[str, str]]) -> None:
    page = book.add_worksheet("i")
    for line, (label, value) in enumerate(about):
        page.write_string(line, 0, label)
        page.write_string(line, 1, str(harmless(value)))
    page.set_column(0, 0, 20)
    page.set_column(1, 1, 80)


def to_png(chart: Any, *, title: str, below: str = "") -> bytes:
    """The chart as a picture with its title, and under it what it is of."""
    import vl_convert

    spec = chart.to_dict()
    spec["title"] = {"text": title, "subtitle": below, "anchor": "start", "offset": 14, "fontSize": 16}
    spec["padding"] = 16
    if spec.get("width", "container") == "container" or "width" not in spec:
        spec["width"] = PNG_WIDTH
    picture: bytes = vl_convert.vegalite_to_png(spec, scale=PNG_SCALE)
    return picture


def file_name(*parts: str, suffix: str = "csv") -> str:
    """A file name of these parts, without characters that a file system refuses."""
    joined = "_".join(part for part in parts if part)
    return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in joined) + f".{suffix}"
