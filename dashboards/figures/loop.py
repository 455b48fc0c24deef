"""The closed loop: how far tickets came, the time in each step against its target, the backlog's age."""

from typing import Any

import altair as alt
import pandas as pd

from core.i18n import Texts
from dashboards.figures.theme import BAD, BEFORE, GOOD, INK, MAIN, MUTED, TARGET, day_axis, named_colours, themed
from dashboards.figures.trends import flags

#: Ages of open tickets, from fresh to old.
AGES = {"1_day": "#CFE0F1", "3_days": "#9CC0E2", "7_days": "#5F98CC", "30_days": "#C77C11", "older": "#A93226"}
_ROW = 36


def funnel(table: pd.DataFrame, *, texts: Texts, colour: str = MAIN) -> Any:
    """Bars around a middle line, each with its count and its share of the first.

    Args:
        table: in order: `name`, `value`, `share`.
        texts: the page's texts.
        colour: of the bars.
    """
    order = list(table["name"])
    labels = [f"{value:,.0f} · {share:.1%}" for value, share in zip(table["value"], table["share"], strict=True)]
    half = table["value"] / 2
    rows = table.assign(label=labels, low=-half, high=half)
    top = float(half.max()) * 1.05 or 1.0
    base = alt.Chart(rows).encode(
        y=alt.Y("name:N", sort=order, axis=alt.Axis(title=None, ticks=False, domain=False)),
        tooltip=[
            alt.Tooltip("name:N", title=texts("chart.part")),
            alt.Tooltip("value:Q", title=texts("chart.count"), format=",.0f"),
            alt.Tooltip("share:Q", title=texts("chart.share"), format=".1%"),
        ],
    )
    bars = base.mark_bar(height=24, color=colour, opacity=0.85, cornerRadius=2).encode(
        x=alt.X("low:Q", axis=None, scale=alt.Scale(domain=[-top, top * 1.3])), x2="high:Q"
    )
    words = base.mark_text(fontSize=12, color=INK, align="left", dx=8).encode(x="high:Q", text="label:N")
    return themed(alt.layer(bars, words), height=_ROW * len(order) + 12)


def step_times(table: pd.DataFrame, *, texts: Texts) -> Any:
    """Mean hours in each step as bars, a tick at the target; red where the mean is beyond it.

    Args:
        table: in order: `name`, `hours`, `target_hours` (NULL: none), `within` (share, NULL: no target), `stays`.
        texts: the page's texts.
    """
    verdict = (table["hours"] > table["target_hours"]).map({True: "late", False: "kept"})
    rows = table.assign(
        verdict=verdict.where(table["target_hours"].notna(), "none"),
        label=[
            f"{hours:,.1f} h" + (f" · {within:.0%}" if pd.notna(within) else "")
            for hours, within in zip(table["hours"], table["within"], strict=True)
        ],
        label_at=table[["hours", "target_hours"]].max(axis=1),
    )
    top = float(rows["label_at"].max()) * 1.3 or 1.0
    base = alt.Chart(rows).encode(
        y=alt.Y("name:N", sort=list(table["name"]), axis=alt.Axis(title=None, ticks=False, domain=False))
    )
    scale = alt.Scale(domain=[0, top], nice=False)
    tooltip = [
        alt.Tooltip("name:N", title=texts("loop.step")),
        alt.Tooltip("side:N", title=texts("loop.side")),
        alt.Tooltip("stays:Q", title=texts("loop.stays"), format=",.0f"),
        alt.Tooltip("hours:Q", title=texts("loop.hours"), format=",.1f"),
        alt.Tooltip("target_hours:Q", title=texts("loop.target_hours"), format=",.1f"),
        alt.Tooltip("within:Q", title=texts("loop.within"), format=".1%"),
    ]
    bars = base.mark_bar(height=18, cornerRadiusEnd=2).encode(
        x=alt.X("hours:Q", scale=scale, axis=alt.Axis(title=texts("loop.hours"), format=",.0f", tickCount=5)),
        color=alt.Color(
            "verdict:N", legend=None, scale=alt.Scale(domain=["late", "kept", "none"], range=[BAD, GOOD, BEFORE])
        ),
        tooltip=tooltip,
    )
    ticks = base.mark_tick(color=TARGET, thickness=3, height=26).encode(x="target_hours:Q", tooltip=tooltip)
    words = base.mark_text(align="left", dx=8, color=MUTED).encode(x="label_at:Q", text="label:N")
    return themed(alt.layer(bars, ticks, words), height=_ROW * len(rows) + 40)


def backlog_by_age(table: pd.DataFrame, *, texts: Texts, notes: pd.DataFrame | None = None) -> Any:
    """Open tickets at each day's end, stacked by age.

    Args:
        table: `day`, `code` (a key of AGES), `name`, `order`, `value`.
        texts: the page's texts.
        notes: what happened: `day`, `text`; a flag each.
    """
    names = dict(zip(table["code"], table["name"], strict=True))
    day = "yearmonthdate(day):T"
    bars = (
        alt.Chart(table)
        .mark_bar(width={"band": 0.9})
        .encode(
            x=alt.X(day, axis=day_axis()),
            y=alt.Y("value:Q", stack="zero", axis=alt.Axis(title=None, format=",.0f", tickCount=5, tickMinStep=1)),
            color=named_colours(names, AGES),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("day:T", title=texts("chart.day"), format="%Y-%m-%d"),
                alt.Tooltip("name:N", title=texts("loop.age")),
                alt.Tooltip("value:Q", title=texts("chart.count"), format=",.0f"),
            ],
        )
    )
    if notes is None or notes.empty:
        return themed(bars, height=300)
    return themed(alt.layer(bars, flags(notes, day, texts)), height=300)
