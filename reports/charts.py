"""A section's charts as vector drawings (PDF, page) and as pictures (e-mail)."""

from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from core.i18n import Texts
from reports.document import Chart, Section

FONT = "Noto Sans CJK SC"
INK, MUTED, GRID, TARGET = "#1F2A37", "#6B7280", "#E5E7EB", "#B7791F"
LINES = ("#1F5FA8", "#2B8C7B", "#8A5A83")
#: Most bars drawn, and the size of a drawing in pixels.
MOST_BARS, HEIGHT, BAR = 12, 135, 18
#: On paper, and on a screen, where a phone shrinks it: narrower, so that its words stay readable.
PAPER, SCREEN = 620, 420
#: Of the width, what is left to the names beside bars; so many pixels a label need below a line.
_NAMES, _LABEL = 160, 69
_FORMATS = {"ratio": ".0%", "seconds": ",.0f", "hours": ",.0f", "per_thousand": ",.1f", "score": ".1f"}


class Drawings:
    """The charts of one document, each described once and painted once, however many forms show it."""

    def __init__(self, text: Texts) -> None:
        self._text = text
        self._specs: dict[tuple[str, int, int], dict[str, Any]] = {}
        self._pictures: dict[tuple[str, int], bytes] = {}

    def svg(self, section: Section, number: int, chart: Chart) -> str:
        """Chart `number` of the section as an SVG drawing whose words stay words."""
        drawing: str = vl_convert.vegalite_to_svg(self._spec(section, number, chart, PAPER))
        return drawing

    def png(self, section: Section, number: int, chart: Chart) -> bytes:
        """The same as a picture at more than its size, for screens that are sharp."""
        key = section.code, number
        if key not in self._pictures:
            self._pictures[key] = vl_convert.vegalite_to_png(self._spec(section, number, chart, SCREEN), scale=2.5)
        return self._pictures[key]

    def _spec(self, section: Section, number: int, chart: Chart, width: int) -> dict[str, Any]:
        key = section.code, number, width
        if key not in self._specs:
            self._specs[key] = _spec(section, chart, self._text, width)
        return self._specs[key]


def _spec(section: Section, chart: Chart, text: Texts, width: int) -> dict[str, Any]:
    width -= _NAMES if chart.kind == "bar" else 0
    drawn = _bars(section, chart, width) if chart.kind == "bar" else _lines(section, chart, width)
    if chart.target is not None:
        drawn = drawn + _target(section, chart, text, width)
    spec: dict[str, Any] = _themed(drawn, section, chart, width).to_dict(validate=False)
    return spec


def _format(section: Section, chart: Chart) -> str:
    figure = section.columns[chart.series[0]].figure
    return _FORMATS.get(figure.unit if figure else "", ",.0f")


def _lines(section: Section, chart: Chart, width: int) -> Any:
    names = [section.columns[index].name for index in chart.series]
    rows = [
        {"x": str(row[chart.category]), "name": names[place], "value": row[index]}
        for row in section.rows
        for place, index in enumerate(chart.series)
    ]
    figure = section.columns[chart.series[0]].figure
    is_count = figure is not None and figure.unit == "count"
    labels = [str(row[chart.category]) for row in section.rows]
    shown = labels[:: max(1, len(labels) * _LABEL // width)]
    short = "substring(datum.label, 5)" if len(labels[0]) == 10 else "datum.label"
    axis = alt.Axis(title=None, values=shown, labelAngle=0, labelExpr=short)
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(strokeWidth=2, point={"size": 14})
        .encode(
            x=alt.X("x:O", sort=labels, axis=axis),
            y=alt.Y(
                "value:Q",
                scale=alt.Scale(zero=is_count),
                axis=alt.Axis(title=None, format=_format(section, chart), tickCount=4),
            ),
            color=alt.Color(
                "name:N",
                scale=alt.Scale(domain=names, range=list(LINES[: len(names)])),
                legend=alt.Legend(orient="top", title=None, labelLimit=300),
            ),
        )
    )


def _bars(section: Section, chart: Chart, width: int) -> Any:
    index = chart.series[0]
    table = pd.DataFrame([{"name": str(row[chart.category]), "value": row[index]} for row in section.rows[:MOST_BARS]])
    shown = _format(section, chart).replace(".0%", ".1%")
    top = max([float(value) for value in table["value"].dropna()] + [chart.target or 0.0])
    base = alt.Chart(table).encode(
        y=alt.Y(
            "name:N", sort=list(table["name"]), axis=alt.Axis(title=None, ticks=False, domain=False, labelLimit=180)
        )
    )
    x = alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, top * 1.15 or 1]))
    bars = base.mark_bar(height=12, color=LINES[0], cornerRadiusEnd=2).encode(x=x)
    # Beside a target's line numbers stand in a column of their own, where the line does not cross them.
    place, align = (x, "left") if chart.target is None else (alt.value(width), "right")
    numbers = base.mark_text(align=align, dx=5 if chart.target is None else 0).encode(
        x=place, text=alt.Text("value:Q", format=shown)
    )
    return bars + numbers


def _target(section: Section, chart: Chart, text: Texts, width: int) -> Any:
    shown = f"{chart.target:.0%}" if _format(section, chart) == ".0%" else f"{chart.target:g}"
    data = pd.DataFrame({"target": [chart.target], "label": [text("chart.target", value=shown)]})
    drawn = alt.Chart(data)
    rule = drawn.mark_rule(color=TARGET, strokeDash=[3, 3])
    if chart.kind == "bar":
        words = drawn.mark_text(align="center", baseline="bottom", dy=-3, color=TARGET, fontSize=10)
        return rule.encode(x="target:Q") + words.encode(x="target:Q", y=alt.value(0), text="label:N")
    # A white edge keeps the words readable where a line runs behind them.
    words = drawn.mark_text(align="right", baseline="bottom", dy=-3, color=TARGET, fontSize=10)
    edge = drawn.mark_text(align="right", baseline="bottom", dy=-3, stroke="#FFFFFF", strokeWidth=4, fontSize=10)
    at = {"y": "target:Q", "x": alt.value(width), "text": "label:N"}
    return rule.encode(y="target:Q") + edge.encode(**at) + words.encode(**at)


def _themed(drawn: Any, section: Section, chart: Chart, width: int) -> Any:
    height = BAR * min(len(section.rows), MOST_BARS) if chart.kind == "bar" else HEIGHT
    return (
        drawn.properties(width=width, height=height)
        .configure(font=FONT, background="#FFFFFF")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=MUTED, gridColor=GRID, domainColor=GRID, tickColor=GRID, labelFontSize=11, labelFont=FONT
        )
        .configure_axisX(grid=False)
        .configure_legend(labelColor=INK, labelFontSize=11, labelFont=FONT, padding=0)
        .configure_text(font=FONT, color=INK, fontSize=11)
    )


def course(values: tuple[float | None, ...], width: int = 96, height: int = 20) -> str:
    """A headline's course as a small line without axes; empty if there is nothing to draw."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(known), max(known)
    step, room = width / (len(values) - 1), (high - low) or 1.0
    points = [
        f"{index * step:.1f},{height - 2 - (value - low) / room * (height - 4):.1f}"
        for index, value in enumerate(values)
        if value is not None
    ]
    x, y = points[-1].split(",")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<polyline points="{" ".join(points)}" fill="none" stroke="{LINES[0]}" stroke-width="1.3"/>'
        f'<circle cx="{x}" cy="{y}" r="2" fill="{LINES[0]}"/></svg>'
    )
