"""The document as an XLSX workbook: real numbers with formats, native charts, no text run as a formula."""

import io
import math
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Any

import xlsxwriter

from core.display import Figure
from core.i18n import Texts, texts
from reports.document import Chart, Document, Section

FONT = "Microsoft YaHei"
#: Height of a line of that font in 11 points.
_LINE_POINTS = 17


def number_format(figure: Figure | None) -> str:
    """The Excel format of a figure's unit."""
    if figure is None:
        return "General"
    decimals = max(figure.decimals - 2, 0) if figure.unit == "ratio" else figure.decimals
    zeros = "." + "0" * decimals if decimals else ""
    return f"0{zeros}%" if figure.unit == "ratio" else f"#,##0{zeros}"


class _Book:
    """A workbook being written, with its formats."""

    def __init__(self, file: io.BytesIO, document: Document) -> None:
        options = {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self.book = xlsxwriter.Workbook(file, options)
        self.document = document
        self.text: Texts = texts("reports", document.language)
        self._formats: dict[str, Any] = {}
        self.title = self.book.add_format({"bold": True, "font_size": 14, "font_name": FONT, "font_color": "#123B6B"})
        self.note = self.book.add_format({"font_name": FONT, "font_color": "#6B7280", "text_wrap": False})
        self.sentence = self.book.add_format(
            {"font_name": FONT, "font_color": "#6B7280", "text_wrap": True, "valign": "top"}
        )
        head = {"bold": True, "font_name": FONT, "bottom": 2, "text_wrap": True, "valign": "bottom"}
        #: Heads stand over what they name: the first column is words, the others are figures.
        self.head, self.head_of_figures = (
            self.book.add_format({**head, "bg_color": "#E9F0F8", "align": align}) for align in ("left", "right")
        )

    def cell_format(self, number: str, align: str = "") -> Any:
        name = number + align
        if name not in self._formats:
            self._formats[name] = self.book.add_format(
                {"num_format": number, "font_name": FONT, **({"align": align} if align else {})}
            )
        return self._formats[name]

    def write_heads(self, sheet: Any, row: int, heads: Sequence[str]) -> None:
        for column, head in enumerate(heads):
            sheet.write_string(row, column, head, self.head_of_figures if column else self.head)
        sheet.repeat_rows(row)

    def write_sentence(self, sheet: Any, row: int, sentence: str, columns: int, width: int) -> None:
        """A sentence below the table, broken where the table ends; `width` in letters."""
        sheet.merge_range(row, 0, row, columns - 1, "", self.sentence)
        sheet.write_string(row, 0, sentence, self.sentence)
        letters = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in sentence)
        sheet.set_row(row, _LINE_POINTS * math.ceil(letters * 1.1 / width))

    def sheet(self, name: str) -> Any:
        clean = "".join(letter for letter in name if letter not in "[]:*?/\\'")[:31]
        sheet = self.book.add_worksheet(clean)
        sheet.hide_gridlines(2)
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        return sheet

    def write(self, sheet: Any, row: int, column: int, value: object, figure: Figure | None = None) -> None:
        if value is None:
            sheet.write_blank(row, column, None, self.cell_format("General"))
        elif isinstance(value, date):
            sheet.write_datetime(row, column, value, self.cell_format("yyyy-mm-dd", "left"))
        elif isinstance(value, int | float):
            sheet.write_number(row, column, value, self.cell_format(number_format(figure)))
        else:
            sheet.write_string(row, column, str(value), self.cell_format("General", "right" if column else ""))


def workbook(document: Document) -> bytes:
    """The workbook file's content: a summary sheet, one sheet a section, the definitions."""
    file = io.BytesIO()
    writer = _Book(file, document)
    _summary(writer)
    for section in document.sections:
        if section.rows:
            _section(writer, section)
    _definitions(writer)
    writer.book.close()
    return file.getvalue()


def _summary(writer: _Book) -> None:
    document, text = writer.document, writer.text
    sheet = writer.sheet(text("workbook.summary"))
    sheet.write_string(0, 0, document.title, writer.title)
    row = 1
    for sentence in document.summary:
        sheet.write_string(row, 0, sentence, writer.note)
        row += 1
    heads = ("figure", "value", "target", "meets", "before", "change", "year_before", "change")
    row += 1
    writer.write_heads(sheet, row, [text(f"column.{head}") for head in heads])
    for line in document.headlines:
        row += 1
        writer.write(sheet, row, 0, line.name)
        for column, value in ((1, line.value), (2, line.figure.target), (4, line.before), (6, line.year_before)):
            writer.write(sheet, row, column, value, line.figure)
        writer.write(sheet, row, 3, text(f"meets.{line.meets}"))
        if line.note:
            sheet.write_string(row, len(heads), line.note, writer.note)
        for column, change in ((5, line.change), (7, line.year_change)):
            writer.write(sheet, row, column, change.text)
    row += 2
    for sentence in (*(said for section in document.sections for said in section.sentences), *document.quality):
        writer.write_sentence(sheet, row, sentence, len(heads), 30 + 14 * (len(heads) - 1))
        row += 1
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, len(heads) - 1, 14)


def _section(writer: _Book, section: Section) -> None:
    sheet = writer.sheet(section.title)
    sheet.write_string(0, 0, section.title, writer.title)
    sheet.write_string(1, 0, section.note, writer.note)
    top = 3
    writer.write_heads(sheet, top, [each.name for each in section.columns])
    for row, values in enumerate(section.rows):
        for column, value in enumerate(values):
            writer.write(sheet, top + 1 + row, column, value, section.figure_of(row, column))
    sheet.freeze_panes(top + 1, 1)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, max(len(section.columns) - 1, 1), 13)
    for number, chart in enumerate(section.charts):
        sheet.insert_chart(
            top, len(section.columns) + 1, _chart(writer, sheet, section, chart, top), {"y_offset": number * 310}
        )


def _chart(writer: _Book, sheet: Any, section: Section, chart: Chart, top: int) -> Any:
    drawn = writer.book.add_chart({"type": chart.kind})
    last = top + len(section.rows)
    for index in chart.series:
        drawn.add_series(
            {
                "name": [sheet.name, top, index],
                "categories": [sheet.name, top + 1, chart.category, last, chart.category],
                "values": [sheet.name, top + 1, index, last, index],
            }
        )
    figure = section.columns[chart.series[0]].figure
    names = ", ".join(section.columns[index].name for index in chart.series)
    drawn.set_title({"name": names, "name_font": {"size": 11, "bold": True, "name": FONT}})
    shown = {"num_format": number_format(figure), "major_gridlines": {"visible": True, "line": {"color": "#E5E7EB"}}}
    if chart.kind == "bar":
        # The first row stands on top, as in the table.
        drawn.set_y_axis({"reverse": True, "interval_unit": 1})
        drawn.set_x_axis({**shown, "min": 0, "crossing": "min"})
    else:
        drawn.set_x_axis({"num_format": "mm-dd", "num_font": {"size": 9}})
        drawn.set_y_axis(shown)
    if len(chart.series) > 1:
        drawn.set_legend({"position": "bottom"})
    else:
        drawn.set_legend({"none": True})
    drawn.set_size({"width": 620, "height": 300})
    return drawn


def _definitions(writer: _Book) -> None:
    text = writer.text
    sheet = writer.sheet(text("section.definitions"))
    for column, head in enumerate(("code", "figure", "formula")):
        sheet.write_string(0, column, text(f"column.{head}"), writer.head)
    for row, line in enumerate(writer.document.headlines, start=1):
        for column, value in enumerate((line.code, line.name, line.formula)):
            sheet.write_string(row, column, value, writer.cell_format("General"))
    sheet.set_column(0, 1, 22)
    sheet.set_column(2, 2, 90)
