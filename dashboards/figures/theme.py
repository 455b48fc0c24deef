"""One look for every chart: few colours with a meaning each, quiet axes, fonts that have Chinese."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

FONT = '"Source Sans", "Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif'
INK, MUTED, GRID, PAPER = "#1F2A37", "#6B7280", "#E5E7EB", "#FFFFFF"
MAIN, BEFORE, TARGET, GOOD, BAD = "#1F5FA8", "#A9B4C2", "#B7791F", "#1B7F5C", "#B3362B"
#: Where a figure was to be expected; what somebody wrote about a day.
BAND, NOTE = "#EAF1F8", "#8A5A83"
#: One hue from paper to ink, for amounts.
AMOUNT = ["#F1F6FB", "#CFE0F1", "#9CC0E2", "#5F98CC", "#2F72B4", "#17508A", "#0B335F"]
#: Bad to good through a neutral middle, for shares that have a target.
QUALITY = ["#A93226", "#D98C7E", "#F3EDE4", "#8DB8A8", "#1B7F5C"]
#: Parts of a whole without an order of their own: distinct, calm, safe for the colour-blind.
PARTS = ["#1F5FA8", "#C77C11", "#4E9A8B", "#8A5A83", "#8C96A3", "#6FA8DC", "#D9A441"]
#: Channels by kind: voice blue, web green, messages ochre, paper grey, in person plum.
CHANNELS = {
    "voice": "#1F5FA8",
    "web_chat": "#2B8C7B",
    "web_callback": "#63B3A4",
    "web_form": "#A7D5CB",
    "email": "#B7791F",
    "sms": "#DDB15F",
    "letter": "#8C96A3",
    "fax": "#BFC6CF",
    "walk_in": "#8A5A83",
    "unknown": "#DADDE2",
}
#: Agent states, from earning to idle.
STATES = {
    "on_contact": "#1F5FA8",
    "available": "#8FBCE3",
    "paid_pause": "#D9A441",
    "unpaid_pause": "#EBD5A6",
    "empty": "#E9ECF0",
}
#: Scheduled time: worked, paused, not there.
SHIFTS = {"worked": MAIN, "pause": "#D9A441", "absent": "#D98C7E"}
#: How contacts end, from served to lost.
OUTCOMES = {
    "answered": "#1F5FA8",
    "ended_in_ivr": "#8FBCE3",
    "other": "#C9CED6",
    "unknown": "#E2E5EA",
    "abandoned": "#D98C7E",
    "blocked": "#A93226",
}
#: Streamlit fits axes and legend into a chart's height.
HEIGHT, AXIS_ROOM, LEGEND_ROOM = 280, 30, 56


def themed(chart: Any, *, height: int | None = HEIGHT) -> Any:
    """The chart with the common look; `height` in pixels, None where steps give it."""
    sized = chart if height is None else chart.properties(height=height)
    return (
        sized.properties(padding={"left": 4, "right": 8, "top": 4, "bottom": 4})
        .configure(font=FONT, background=PAPER)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=MUTED,
            titleColor=MUTED,
            titleFontWeight="normal",
            labelFontSize=12,
            titleFontSize=12,
            gridColor=GRID,
            domainColor=GRID,
            tickColor=GRID,
            labelOverlap=True,
            labelLimit=160,
        )
        .configure_axisX(grid=False)
        .configure_legend(
            orient="bottom",
            title=None,
            labelColor=INK,
            labelFontSize=12,
            symbolType="square",
            columns=3,
            labelLimit=140,
            offset=10,
            rowPadding=4,
            columnPadding=12,
        )
        .configure_text(font=FONT, color=INK, fontSize=12)
    )


def number_format(unit: str) -> str:
    """The d3 format of a KPI's unit, for axes and tooltips."""
    return {"ratio": ".1%", "seconds": ",.1f", "per_thousand": ",.2f", "score": ".2f"}.get(unit, ",.0f")


def axis_format(unit: str) -> str:
    """The shorter d3 format of an axis."""
    return {"ratio": ".0%", "seconds": ",.0f", "per_thousand": ",.1f", "score": ".1f"}.get(unit, ",.0f")


def ratio_scale(values: pd.Series, *also: float | None) -> tuple[alt.Scale, str]:
    """A scale for shares that shows their movement without making much of little, and its axis format."""
    known = [float(value) for value in [*values.dropna(), *also] if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    room = max(0.02, (high - low) * 0.15)
    low, high = max(0.0, low - room), min(1.0, high + room) if high <= 1 else high + room
    return alt.Scale(domain=[low, high], nice=False), ".0%" if high - low > 0.06 else ".1%"


def day_axis(**options: Any) -> alt.Axis:
    """A time axis in days that reads the same in both languages."""
    return alt.Axis(format="%m-%d", title=None, tickCount=8, **options)


def half_hour_axis(labels: pd.Series) -> alt.X:
    """A half-hour axis ('08:30') without gaps from the first to the last of `labels`; full hours are written."""
    every = [f"{number // 2:02d}:{number % 2 * 30:02d}" for number in range(48)]
    shown = [label for label in every if labels.min() <= label <= labels.max()] if len(labels) else every
    full_hours = "substring(datum.label, 3) == '00' ? substring(datum.label, 0, 2) : ''"
    axis = alt.Axis(title=None, labelAngle=0, ticks=False, labelExpr=full_hours)
    return alt.X("half_hour:O", scale=alt.Scale(domain=shown), axis=axis)


def named_colours(names: Mapping[str, str], colours: Mapping[str, str]) -> alt.Color:
    """The colours of the parts in `name`, in the order of `colours`.

    Args:
        names: part → its name, of the parts that are there.
        colours: part → its colour.
    """
    present = [part for part in colours if part in names]
    domain = [names[part] for part in present]
    return alt.Color("name:N", sort=domain, scale=alt.Scale(domain=domain, range=[colours[part] for part in present]))
