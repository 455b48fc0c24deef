"""Two-way tables as colour: half-hours by weekday, channels by city, the cities in their places."""

from typing import Any

import altair as alt
import pandas as pd

from core.i18n import Texts
from dashboards.figures.theme import (
    AMOUNT,
    AXIS_ROOM,
    INK,
    LEGEND_ROOM,
    PAPER,
    QUALITY,
    axis_format,
    half_hour_axis,
    number_format,
    themed,
)

#: From this part of the largest value a cell is dark enough for white text.
DARK = 0.55
#: Where each city stands on the tile map: column from the west, row from the north.
CITY_TILES = {
    "yulin": (2, 0),
    "yanan": (2, 1),
    "xianyang": (1, 2),
    "tongchuan": (2, 2),
    "weinan": (3, 2),
    "baoji": (0, 3),
    "yangling": (1, 3),
    "xian": (2, 3),
    "shangluo": (3, 3),
    "hanzhong": (1, 4),
    "ankang": (2, 4),
}


def _colour(unit: str, target: float | None, values: pd.Series) -> Any:
    """Amounts in one hue; a share with a target from bad to good around it."""
    legend = alt.Legend(gradientLength=220, gradientThickness=10, format=axis_format(unit), tickCount=5)
    if target is None:
        return alt.Color("value:Q", scale=alt.Scale(range=AMOUNT), legend=legend)
    low, high = min(float(values.min()), target - 0.01), max(float(values.max()), target + 0.01)
    domain = [low, (low + target) / 2, target, (target + high) / 2, high]
    return alt.Color("value:Q", scale=alt.Scale(domain=domain, range=QUALITY, clamp=True), legend=legend)


def half_hour_map(
    table: pd.DataFrame,
    *,
    texts: Texts,
    unit: str,
    name: str,
    target: float | None = None,
    rows: list[str],
    row_height: int = 30,
) -> Any:
    """A figure by half-hour (across) and weekday or seat (down).

    Args:
        table: `half_hour` ('08:30'), `row` (one of `rows`), `value`.
        texts: the page's texts.
        unit: the KPI's unit.
        name: the KPI's name.
        target: colours turn around it where there is one.
        rows: the rows from the top.
        row_height: in pixels.
    """
    return themed(
        alt.Chart(table)
        .mark_rect(stroke=PAPER, strokeWidth=1)
        .encode(
            x=half_hour_axis(table["half_hour"]),
            y=alt.Y(
                "row:O", sort=rows, scale=alt.Scale(domain=rows), axis=alt.Axis(title=None, ticks=False, domain=False)
            ),
            color=_colour(unit, target, table["value"]),
            tooltip=[
                alt.Tooltip("row:O", title=texts("chart.row")),
                alt.Tooltip("half_hour:O", title=texts("chart.half_hour")),
                alt.Tooltip("value:Q", title=name, format=number_format(unit)),
            ],
        ),
        height=row_height * len(rows) + AXIS_ROOM + LEGEND_ROOM,
    )


def two_way(table: pd.DataFrame, *, texts: Texts, columns: list[str], rows: list[str]) -> Any:
    """A count by two names with the number in each cell, coloured by the share within its row.

    Args:
        table: `row`, `column`, `value`, `share` (of the row's sum).
        texts: the page's texts.
        columns: the columns from the left.
        rows: the rows from the top.
    """
    top = float(table["share"].max()) if len(table) else 1.0
    base = alt.Chart(table.assign(is_dark=table["share"] > top * DARK)).encode(
        x=alt.X(
            "column:N",
            sort=columns,
            axis=alt.Axis(title=None, orient="top", labelAngle=-40, labelOverlap=False, ticks=False),
        ),
        y=alt.Y("row:N", sort=rows, axis=alt.Axis(title=None, ticks=False, domain=False)),
    )
    cells = base.mark_rect(stroke=PAPER, strokeWidth=1).encode(
        color=alt.Color("share:Q", scale=alt.Scale(range=AMOUNT, domain=[0, top]), legend=None),
        tooltip=[
            alt.Tooltip("row:N", title=texts("chart.row")),
            alt.Tooltip("column:N", title=texts("chart.part")),
            alt.Tooltip("value:Q", title=texts("chart.count"), format=",.0f"),
            alt.Tooltip("share:Q", title=texts("chart.share"), format=".1%"),
        ],
    )
    numbers = base.mark_text(fontSize=11).encode(
        text=alt.Text("value:Q", format=",.0f"),
        color=alt.condition("datum.is_dark", alt.value(PAPER), alt.value(INK)),
    )
    return themed(cells + numbers, height=30 * len(rows) + 2 * AXIS_ROOM)


def tile_map(
    table: pd.DataFrame, *, texts: Texts, name: str, unit: str, target: float | None = None, good: str = "none"
) -> Any:
    """The cities as tiles where they lie, coloured by a figure.

    Args:
        table: `city_code`, `name`, `value`, `complaints`, `customers`; cities without a place on the map are left out.
        texts: the page's texts.
        name: the figure's name.
        unit: its unit.
        target: colours turn around it, where more is better.
        good: the direction that is better (core.kpi).
    """
    placed = table[table["city_code"].isin(CITY_TILES)].copy()
    placed["column"] = [CITY_TILES[code][0] for code in placed["city_code"]]
    placed["line"] = [CITY_TILES[code][1] for code in placed["city_code"]]
    # From below the smallest, so that even close figures differ in shade.
    bottom, top = float(placed["value"].min()) * 0.8, float(placed["value"].max())
    placed["is_dark"] = placed["value"].fillna(0) > bottom + (top - bottom) * DARK
    colour = alt.Color("value:Q", scale=alt.Scale(range=AMOUNT, domain=[bottom, top]), legend=None)
    if target is not None and good == "up":
        colour = _colour(unit, target, placed["value"]).legend(None)
        spread = max(abs(placed["value"] - target).max(), 0.01)
        placed["is_dark"] = (placed["value"] - target).abs() > spread * 0.6
    base = alt.Chart(placed).encode(
        x=alt.X("column:O", axis=None, scale=alt.Scale(domain=[0, 1, 2, 3], padding=0.04)),
        y=alt.Y("line:O", axis=None, scale=alt.Scale(domain=[0, 1, 2, 3, 4], padding=0.04)),
    )
    tiles = base.mark_rect(cornerRadius=6).encode(
        color=colour,
        tooltip=[
            alt.Tooltip("name:N", title=texts("chart.city")),
            alt.Tooltip("value:Q", title=name, format=number_format(unit)),
            alt.Tooltip("complaints:Q", title=texts("chart.complaints"), format=",.0f"),
            alt.Tooltip("customers:Q", title=texts("chart.customers"), format=",.0f"),
        ],
    )
    ink = alt.condition("datum.is_dark", alt.value(PAPER), alt.value(INK))
    names = base.mark_text(dy=-9, fontSize=13).encode(text="name:N", color=ink)
    values = base.mark_text(dy=10, fontSize=15, fontWeight="bold").encode(
        text=alt.Text("value:Q", format=number_format(unit)), color=ink
    )
    return themed(tiles + names + values, height=340)
