"""Ranked bars: the mix of channels, outcomes, the complaint Pareto, utilisation by centre."""

from typing import Any

import altair as alt
import pandas as pd

from core.i18n import Texts
from dashboards.figures.theme import (
    AXIS_ROOM,
    BEFORE,
    INK,
    LEGEND_ROOM,
    MAIN,
    MUTED,
    TARGET,
    axis_format,
    number_format,
    themed,
)

ROW = 30
#: The name of the selection that a click on a Pareto bar makes; its field is the code.
PICK = "picked"


def mix(table: pd.DataFrame, *, texts: Texts, colours: dict[str, str]) -> Any:
    """Shares as ranked bars, with a tick where each stood before.

    Args:
        table: `code`, `name`, `value`, `share`, `share_before` (NULL: not compared).
        texts: the page's texts.
        colours: a colour for each code.
    """
    order = list(table.sort_values("value", ascending=False)["name"])
    top = max(float(table["share"].max()), float(table["share_before"].fillna(0).max()))
    share = alt.X("share:Q", axis=None, scale=alt.Scale(domain=[0, top * 1.18 or 1]))
    # Beyond the bar and the tick of the period before, whichever is longer.
    rows = table.assign(label_at=table[["share", "share_before"]].max(axis=1))
    base = alt.Chart(rows).encode(y=alt.Y("name:N", sort=order, axis=alt.Axis(title=None, ticks=False, domain=False)))
    tooltip = [
        alt.Tooltip("name:N", title=texts("chart.part")),
        alt.Tooltip("value:Q", title=texts("chart.count"), format=",.0f"),
        alt.Tooltip("share:Q", title=texts("chart.share"), format=".1%"),
        alt.Tooltip("share_before:Q", title=texts("chart.before"), format=".1%"),
    ]
    bars = base.mark_bar(height=18, cornerRadiusEnd=2).encode(
        x=share,
        color=alt.Color(
            "code:N",
            legend=None,
            scale=alt.Scale(domain=list(table["code"]), range=[colours.get(c, BEFORE) for c in table["code"]]),
        ),
        tooltip=tooltip,
    )
    labels = base.mark_text(align="left", dx=6).encode(
        x=alt.X("label_at:Q", axis=None), text=alt.Text("share:Q", format=".1%")
    )
    layers = [bars, labels]
    if table["share_before"].notna().any():
        ticks = base.mark_tick(color=INK, thickness=2, height=22)
        layers.append(ticks.encode(x=alt.X("share_before:Q", axis=None), tooltip=tooltip))
    return themed(alt.layer(*layers), height=ROW * len(table) + 16)


def stacked(table: pd.DataFrame, *, texts: Texts, colours: list[str], rows: list[str], parts: list[str]) -> Any:
    """What each row consists of, as bars of equal length.

    Args:
        table: `row`, `part`, `order`, `value`, `share`.
        texts: the page's texts.
        colours: one for each part.
        rows: the rows from the top.
        parts: the parts from the left.
    """
    return themed(
        alt.Chart(table)
        .mark_bar(height=18)
        .encode(
            x=alt.X("value:Q", stack="normalize", axis=alt.Axis(format="%", title=None, tickCount=5)),
            y=alt.Y("row:N", sort=rows, axis=alt.Axis(title=None, ticks=False, domain=False)),
            color=alt.Color("part:N", sort=parts, scale=alt.Scale(domain=parts, range=colours)),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("row:N", title=texts("chart.row")),
                alt.Tooltip("part:N", title=texts("chart.part")),
                alt.Tooltip("value:Q", title=texts("chart.count"), format=",.0f"),
                alt.Tooltip("share:Q", title=texts("chart.share"), format=".1%"),
            ],
        ),
        height=ROW * len(rows) + AXIS_ROOM + LEGEND_ROOM,
    )


def pareto(table: pd.DataFrame, *, texts: Texts) -> Any:
    """Complaints by type, largest first, with the cumulative share; a click picks a type.

    Args:
        table: largest first: `code`, `name`, `value`, `share`, `cumulative` (share up to and with this row),
            `before` (NULL: not compared).
        texts: the page's texts.
    """
    picked = alt.selection_point(name=PICK, fields=["code"], on="click", clear=False)
    order = list(table["name"])
    base = alt.Chart(table).encode(
        x=alt.X("name:N", sort=order, axis=alt.Axis(title=None, labelAngle=-30 if len(order) > 6 else 0, ticks=False))
    )
    tooltip = [
        alt.Tooltip("name:N", title=texts("chart.type")),
        alt.Tooltip("value:Q", title=texts("chart.complaints"), format=",.0f"),
        alt.Tooltip("share:Q", title=texts("chart.share"), format=".1%"),
        alt.Tooltip("cumulative:Q", title=texts("chart.cumulative"), format=".1%"),
        alt.Tooltip("before:Q", title=texts("chart.before"), format=",.0f"),
    ]
    count = alt.Y("value:Q", axis=alt.Axis(title=None, format=",.0f", tickCount=5))
    bars = (
        base.mark_bar(color=MAIN, cornerRadiusEnd=2, cursor="pointer", width={"band": 0.72})
        .encode(y=count, tooltip=tooltip)
        .add_params(picked)
    )
    numbers = base.mark_text(dy=-7, fontSize=12).encode(y=count, text=alt.Text("value:Q", format=",.0f"))
    line = base.mark_line(color=TARGET, strokeWidth=2, point={"color": TARGET, "size": 30}).encode(
        y=alt.Y(
            "cumulative:Q",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(title=None, format=".0%", orient="right", grid=False, labelColor=TARGET, tickCount=5),
        ),
        tooltip=tooltip,
    )
    return themed(alt.layer(bars + numbers, line).resolve_scale(y="independent"), height=320)


def ranked(
    table: pd.DataFrame, *, texts: Texts, unit: str, name: str, colour: str = MAIN, target: float | None = None
) -> Any:
    """One figure per row, largest first, with its number; a rule at the target and a tick where it stood before.

    Args:
        table: `name`, `value`, `before` (NULL: not compared).
        texts: the page's texts.
        unit: the figure's unit.
        name: the figure's name.
        colour: of the bars.
        target: drawn where there is one.
    """
    order = list(table.sort_values("value", ascending=False)["name"])
    top = float(table[["value", "before"]].max().max()) if len(table) else 1.0
    scale = alt.Scale(domain=[0, max(top, target or 0.0) * 1.2 or 1])
    rows = table.assign(label_at=table[["value", "before"]].max(axis=1))
    base = alt.Chart(rows).encode(y=alt.Y("name:N", sort=order, axis=alt.Axis(title=None, ticks=False, domain=False)))
    x = alt.X("value:Q", scale=scale, axis=alt.Axis(format=axis_format(unit), title=None, tickCount=5))
    tooltip = [
        alt.Tooltip("name:N", title=texts("chart.row")),
        alt.Tooltip("value:Q", title=name, format=number_format(unit)),
        alt.Tooltip("before:Q", title=texts("chart.before"), format=number_format(unit)),
    ]
    layers = [
        base.mark_bar(height=18, color=colour, cornerRadiusEnd=2).encode(x=x, tooltip=tooltip),
        base.mark_text(align="left", dx=6, color=MUTED).encode(
            x="label_at:Q", text=alt.Text("value:Q", format=number_format(unit))
        ),
    ]
    if table["before"].notna().any():
        layers.append(base.mark_tick(color=INK, thickness=2, height=22).encode(x="before:Q", tooltip=tooltip))
    if target is not None:
        rule = alt.Chart(pd.DataFrame({"target": [target]})).mark_rule(color=TARGET, strokeDash=[2, 3])
        layers.append(rule.encode(x="target:Q"))
    return themed(alt.layer(*layers), height=ROW * len(table) + AXIS_ROOM)
