"""A figure day by day, against the period before and its target; parts of a whole over time."""

from typing import Any

import altair as alt
import pandas as pd

from core.i18n import Texts
from dashboards.figures.theme import (
    BAD,
    BAND,
    BEFORE,
    HEIGHT,
    MAIN,
    NOTE,
    PAPER,
    TARGET,
    axis_format,
    day_axis,
    number_format,
    ratio_scale,
    themed,
)


def trend(
    table: pd.DataFrame,
    *,
    texts: Texts,
    unit: str,
    name: str,
    target: float | None = None,
    notes: pd.DataFrame | None = None,
) -> Any:
    """A line by day, over the band in which it was to be expected; days outside it are marked.

    Args:
        table: one row a day: `day`, `value`, and `before` (the compared period's value; NULL: not compared); where it
            has `low`, `high` and `is_unusual` (dashboards.anomalies) also the band and the marks.
        texts: the page's texts.
        unit: the KPI's unit, for the formats.
        name: the KPI's name, for the tooltip.
        target: drawn as a rule where there is one.
        notes: what happened: `day`, `text`; a flag each.
    """
    has_band = "low" in table and table["low"].notna().any()
    scale, shown = alt.Scale(zero=unit in ("count", "per_thousand"), nice=True), axis_format(unit)
    if unit == "ratio":
        scale, shown = ratio_scale(pd.concat([table["value"], table["before"]]), target)
    y_axis = alt.Axis(format=shown, title=None, tickCount=5)
    base = alt.Chart(table).encode(x=alt.X("day:T", axis=day_axis()))
    tooltip = [
        alt.Tooltip("day:T", title=texts("chart.day"), format="%Y-%m-%d"),
        alt.Tooltip("value:Q", title=name, format=number_format(unit)),
    ]
    layers = []
    if has_band:
        tooltip += [
            alt.Tooltip("low:Q", title=texts("chart.usual_from"), format=number_format(unit)),
            alt.Tooltip("high:Q", title=texts("chart.usual_to"), format=number_format(unit)),
        ]
        band = base.mark_area(color=BAND, clip=True)
        layers.append(band.encode(y=alt.Y("low:Q", scale=scale, axis=y_axis), y2="high:Q"))
    if table["before"].notna().any():
        tooltip.append(alt.Tooltip("before:Q", title=texts("chart.before"), format=number_format(unit)))
        before = base.mark_line(color=BEFORE, strokeDash=[4, 3], strokeWidth=1.5)
        layers.append(before.encode(y=alt.Y("before:Q", scale=scale, axis=y_axis)))
    line = base.mark_line(color=MAIN, strokeWidth=2.2, point={"size": 18, "color": MAIN})
    layers.append(line.encode(y=alt.Y("value:Q", scale=scale, axis=y_axis)))
    if has_band:
        unusual = base.transform_filter("datum.is_unusual").mark_point(
            shape="diamond", size=150, stroke=BAD, fill=PAPER, strokeWidth=2
        )
        layers.append(unusual.encode(y=alt.Y("value:Q", scale=scale, axis=y_axis)))
    if target is not None:
        layers.append(_target_rule(target, unit=unit, texts=texts))
    if notes is not None and not notes.empty:
        layers.append(flags(notes, "day:T", texts))
    # Wide and unseen, so that a day is hit without aiming at its point.
    wide = max(4, 560 // max(len(table), 1))
    layers.append(base.mark_rule(opacity=0.001, strokeWidth=wide).encode(tooltip=tooltip))
    return themed(alt.layer(*layers))


def flags(notes: pd.DataFrame, x: str, texts: Texts) -> Any:
    """What happened, as flags at the top of a timeline: `notes` has the column of `x` and `text`."""
    base = alt.Chart(notes).encode(x=x, tooltip=[alt.Tooltip("text:N", title=texts("chart.note"))])
    rule = base.mark_rule(color=NOTE, strokeWidth=1.2, strokeDash=[1, 2])
    flag = base.mark_text(text="▼", color=NOTE, fontSize=15, baseline="top").encode(y=alt.value(-2))
    return rule + flag


def _target_rule(target: float, *, unit: str, texts: Texts) -> Any:
    shown = f"{target:.0%}" if unit == "ratio" else f"{target:g}"
    data = pd.DataFrame({"target": [target], "label": [texts("chart.target", value=shown)]})
    base = alt.Chart(data).encode(y="target:Q")
    rule = base.mark_rule(color=TARGET, strokeDash=[2, 3], strokeWidth=1.4)
    place = {"align": "right", "baseline": "bottom", "dy": -3, "fontSize": 12}
    halo = base.mark_text(stroke=PAPER, strokeWidth=5, **place).encode(x=alt.value("width"), text="label:N")
    label = base.mark_text(color=TARGET, **place).encode(x=alt.value("width"), text="label:N")
    return rule + halo + label


def shares(
    table: pd.DataFrame,
    *,
    texts: Texts,
    colours: dict[str, str],
    stack: str = "normalize",
    height: int = HEIGHT,
    notes: pd.DataFrame | None = None,
) -> Any:
    """Parts of a whole over time, as stacked bars.

    Args:
        table: one row a time and part: `start` (day or week), `code`, `name`, `order`, `value`.
        texts: the page's texts.
        colours: a colour for each code, in the order of the legend.
        stack: `normalize` for shares, `zero` for amounts.
        height: in pixels.
        notes: what happened: `start` as in the table, `text`; a flag each.
    """
    present = table.drop_duplicates("code").sort_values("order")
    share = stack == "normalize"
    bars = (
        alt.Chart(table)
        .mark_bar()
        .encode(
            x=alt.X("start:O", axis=alt.Axis(title=None, labelAngle=0)),
            y=alt.Y("sum(value):Q", stack=stack, axis=alt.Axis(format="%" if share else ",.0f", title=None)),
            color=alt.Color(
                "name:N",
                sort=list(present["name"]),
                scale=alt.Scale(
                    domain=list(present["name"]), range=[colours.get(code, BEFORE) for code in present["code"]]
                ),
            ),
            order=alt.Order("order:Q", sort="descending"),
            tooltip=[
                alt.Tooltip("start:O", title=texts("chart.start")),
                alt.Tooltip("name:N", title=texts("chart.part")),
                alt.Tooltip("value:Q", title=texts("chart.count"), format=",.0f"),
                alt.Tooltip("share:Q", title=texts("chart.share"), format=".1%"),
            ],
        )
    )
    known = notes[notes["start"].isin(set(table["start"]))] if notes is not None else None
    layered = bars if known is None or known.empty else alt.layer(bars, flags(known, "start:O", texts))
    return themed(layered, height=height)
