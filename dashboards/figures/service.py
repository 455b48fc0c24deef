"""Half-hours of a mean day: callers against agents at work, and one figure against its target."""

from typing import Any

import altair as alt
import pandas as pd

from core.i18n import Texts
from dashboards.figures.theme import (
    BAD,
    BEFORE,
    INK,
    MAIN,
    MUTED,
    TARGET,
    axis_format,
    half_hour_axis,
    named_colours,
    number_format,
    ratio_scale,
    themed,
)

#: What became of a caller.
PARTS = {"answered": MAIN, "abandoned": BAD, "other": "#C9CED6"}


def load_and_agents(table: pd.DataFrame, *, texts: Texts) -> Any:
    """Callers of a mean day as stacked bars, agents at work as a line on an axis of its own.

    Args:
        table: `half_hour`, `part` (a key of PARTS), `name`, `order`, `value` (mean callers), `agents` (NULL: unknown).
        texts: the page's texts.
    """
    names = dict(zip(table["part"], table["name"], strict=True))
    base = alt.Chart(table).encode(x=half_hour_axis(table["half_hour"]))
    tooltip = [
        alt.Tooltip("half_hour:O", title=texts("chart.half_hour")),
        alt.Tooltip("name:N", title=texts("chart.part")),
        alt.Tooltip("value:Q", title=texts("queues.callers"), format=",.1f"),
        alt.Tooltip("agents:Q", title=texts("queues.agents"), format=",.1f"),
    ]
    bars = base.mark_bar(width={"band": 0.86}).encode(
        y=alt.Y("value:Q", stack="zero", axis=alt.Axis(title=texts("queues.callers"), format=",.2~f", tickCount=5)),
        color=named_colours(names, PARTS),
        order=alt.Order("order:Q"),
        tooltip=tooltip,
    )
    if table["agents"].isna().all():
        return themed(bars, height=320)
    once = alt.Chart(table.drop_duplicates("half_hour")).encode(x=half_hour_axis(table["half_hour"]))
    line = once.mark_line(color=INK, strokeWidth=2.2, point={"size": 18, "color": INK}).encode(
        y=alt.Y(
            "agents:Q",
            scale=alt.Scale(domainMin=0),
            axis=alt.Axis(
                title=texts("queues.agents"),
                orient="right",
                grid=False,
                format=",.0f",
                tickCount=5,
                tickMinStep=1,
                labelColor=INK,
            ),
        ),
        tooltip=[tooltip[0], tooltip[3]],
    )
    return themed(alt.layer(bars, line).resolve_scale(y="independent"), height=320)


def through_the_day(table: pd.DataFrame, *, texts: Texts, unit: str, name: str, target: float | None = None) -> Any:
    """One figure by half-hour, dashed where it stood before, with its target.

    Args:
        table: `half_hour`, `value`, `before` (NULL: not compared).
        texts: the page's texts.
        unit: the figure's unit.
        name: the figure's name.
        target: drawn as a rule where there is one.
    """
    scale, shown = alt.Scale(domainMin=0), axis_format(unit)
    if unit == "ratio":
        scale, shown = ratio_scale(pd.concat([table["value"], table["before"]]), target)
    axis = alt.Axis(title=None, format=shown, tickCount=5)
    base = alt.Chart(table).encode(x=half_hour_axis(table["half_hour"]))
    tooltip = [
        alt.Tooltip("half_hour:O", title=texts("chart.half_hour")),
        alt.Tooltip("value:Q", title=name, format=number_format(unit)),
        alt.Tooltip("before:Q", title=texts("chart.before"), format=number_format(unit)),
    ]
    line = base.mark_line(color=MAIN, strokeWidth=2.2, point={"size": 22, "color": MAIN})
    layers = [line.encode(y=alt.Y("value:Q", scale=scale, axis=axis), tooltip=tooltip)]
    if table["before"].notna().any():
        before = base.mark_line(color=BEFORE, strokeDash=[4, 3], strokeWidth=1.5)
        layers.insert(0, before.encode(y=alt.Y("before:Q", scale=scale, axis=axis)))
    if target is not None:
        rule = alt.Chart(pd.DataFrame({"target": [target]})).mark_rule(color=TARGET, strokeDash=[2, 3])
        layers.append(rule.encode(y=alt.Y("target:Q", scale=scale, axis=axis)))
    # Wide and unseen, so that a half-hour is hit without aiming at its point.
    layers.append(base.mark_rule(opacity=0.001, strokeWidth=16).encode(tooltip=tooltip))
    return themed(alt.layer(*layers).configure_title(color=MUTED), height=280)
