"""Calls to come by queue, and agents needed against the roster through a day."""

from typing import Any

import altair as alt
import pandas as pd

from core.i18n import Texts
from dashboards.figures.theme import BAD, BEFORE, MAIN, PARTS, day_axis, half_hour_axis, themed


def calls_by_queue(table: pd.DataFrame, *, texts: Texts) -> Any:
    """Stacked bars: `day`, `name` (queue), `calls`."""
    names = list(dict.fromkeys(table["name"]))
    colour = alt.Color("name:N", scale=alt.Scale(domain=names, range=PARTS[: len(names)]), sort=names)
    chart = (
        alt.Chart(table)
        .mark_bar(width={"band": 0.7})
        .encode(
            x=alt.X("yearmonthdate(day):T", axis=day_axis()),
            y=alt.Y("calls:Q", axis=alt.Axis(title=None, format=",.0f", tickCount=5)),
            color=colour,
            tooltip=[
                alt.Tooltip("day:T", title=texts("chart.day"), format="%Y-%m-%d"),
                alt.Tooltip("name:N", title=texts("chart.row")),
                alt.Tooltip("calls:Q", title=texts("column.calls"), format=",.0f"),
            ],
        )
    )
    return themed(chart, height=320)


def needed_and_rostered(table: pd.DataFrame, *, texts: Texts) -> Any:
    """Bars of the roster (red where people are short), a stepped line of what is needed, by half-hour."""
    base = alt.Chart(table.assign(short=table["gap"] < -0.5)).encode(x=half_hour_axis(table["half_hour"]))
    tooltip = [
        alt.Tooltip("half_hour:O", title=texts("chart.half_hour")),
        alt.Tooltip("calls:Q", title=texts("column.calls"), format=",.1f"),
        alt.Tooltip("needed:Q", title=texts("column.needed"), format=",.0f"),
        alt.Tooltip("rostered:Q", title=texts("column.rostered"), format=",.1f"),
        alt.Tooltip("level:Q", title=texts("column.level"), format=".0%"),
    ]
    y = alt.Axis(title=None, format=",.0f", tickCount=5, tickMinStep=1)
    colour = alt.condition("datum.short", alt.value(BAD), alt.value(BEFORE))
    bars = base.mark_bar(opacity=0.7).encode(y=alt.Y("rostered:Q", axis=y), color=colour, tooltip=tooltip)
    line = base.mark_line(interpolate="step", color=MAIN, strokeWidth=2.5).encode(y="needed:Q", tooltip=tooltip)
    return themed(alt.layer(bars, line), height=320)
