"""The document as HTML: for an e-mail (pictures attached, styles inline), for a page that stands alone, for print."""

import base64
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from core.display import DASH, Figure, show, show_target
from core.i18n import texts
from reports import charts
from reports.compose import compared_text
from reports.document import Cell, Chart, Document, Section

Medium = Literal["mail", "page", "print"]


@dataclass(frozen=True)
class Picture:
    """A picture that an e-mail carries; the HTML names it as cid:<content_id>."""

    content_id: str
    content: bytes


@lru_cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(document: Document, medium: Medium, drawings: charts.Drawings | None = None) -> tuple[str, list[Picture]]:
    """The HTML and, for an e-mail, the pictures that it refers to; forms of one document may share its drawings."""
    text, pictures = texts("reports", document.language), []
    drawn = drawings or charts.Drawings(text)

    def drawing(section: Section, number: int, chart: Chart) -> Markup:
        if medium == "print":
            return Markup(drawn.svg(section, number, chart))  # noqa: S704 - our own drawing; its words are escaped
        content = drawn.png(section, number, chart)
        content_id = f"{section.code}-{number}"
        if medium == "mail":
            pictures.append(Picture(content_id, content))
            source = f"cid:{content_id}"
        else:
            source = "data:image/png;base64," + base64.b64encode(content).decode()
        names = [section.columns[index].name for index in chart.series]
        style = "display:block;width:100%;max-width:460px;height:auto;border:0"
        return Markup('<img src="{}" alt="{}" width="460" style="{}">').format(
            source, f"{section.title}: {', '.join(names)}", style
        )

    html = (
        _environment()
        .get_template("report.html.j2")
        .render(
            document=document,
            medium=medium,
            text=text,
            compared=compared_text(document.period, text),
            drawing=drawing,
            cell=lambda section, row, column: cell_text(section, row, column, document),
            shown=lambda figure, value: show(figure, value, document.language),
            target=lambda figure: show_target(figure, document.language),
            course=lambda values: Markup(charts.course(values)) if medium == "print" else "",  # noqa: S704 - numbers only
            colour=_colour,
            tiles=_rows(document, 2 if medium == "mail" else 4),
        )
    )
    return html, pictures


def cell_text(section: Section, row: int, column: int, document: Document) -> str:
    """A cell as people read it; NULL is a dash."""
    value: Cell = section.rows[row][column]
    figure: Figure | None = section.figure_of(row, column)
    if value is None:
        return DASH
    if isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if figure is None:
        return f"{value:,g}"
    is_change = section.columns[column].name == texts("reports", document.language)("column.change")
    # Zero has no sign of its own: a change of -0.04 % reads 0.0 %.
    return (f"{value:+.1%}" if round(value, 3) else f"{0:.1%}") if is_change else show(figure, value, document.language)


def _colour(headline: Any) -> str:
    """Green where a target is met, red where it is missed, ink where there is none."""
    return {True: "#1B7F5C", False: "#B3362B"}.get(headline.meets, "#1F2A37")


def _rows(document: Document, across: int) -> list[list[Any]]:
    tiles = list(document.headlines)
    return [tiles[index : index + across] for index in range(0, len(tiles), across)]
