"""Charts of a campaign: how far the list was worked, the two arms, who was left out."""

from typing import Any

import altair as alt
import pandas as pd

from core.i18n import Texts
from dashboards.figures.theme import BEFORE, INK, MAIN, themed

_ROW = 34


def counted(table: pd.DataFrame, *, texts: Texts, with_share: bool = False) -> Any:
    """Bars with their counts, in the order given.

    Args:
        table: `name`, `value`, `order`, and `share` if `with_share`.
        texts: the page's texts.
        with_share: write the share beside the count.
    """
    shown = table.assign(label=[f"{value:,.0f}" for value in table["value"]])
    if with_share:
        pairs = zip(table["value"], table["share"], strict=True)
        shown["label"] = [f"{value:,.0f}  ({share:.0%})" for value, share in pairs]
    top = float(table["value"].max()) if len(table) else 1.0
    base = alt.Chart(shown).encode(
        y=alt.Y("name:N", sort=list(table["name"]), axis=alt.Axis(title=None, ticks=False, domain=False)),
        x=alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, top * 1.25 or 1])),
        tooltip=[
            alt.Tooltip("name:N", title=texts("chart.part")),
            alt.Tooltip("value:Q", title=texts("chart.count"), format=",.0f"),
        ],
    )
    bars = base.mark_bar(height=20, cornerRadiusEnd=2, color=MAIN)
    return themed(alt.layer(bars, base.mark_text(align="left", dx=6).encode(text="label:N")), height=_ROW * len(table))


def two_arms(table: pd.DataFrame, *, texts: Texts) -> Any:
    """The share that met the goal with a call and without.

    Args:
        table: `name`, `arm`, `customers`, `value`.
        texts: the page's texts.
    """
    shown = table.assign(label=[f"{value:.1%}" for value in table["value"]])
    top = max(0.01, float(table["value"].max()))
    base = alt.Chart(shown).encode(
        y=alt.Y("name:N", sort=list(table["name"]), axis=alt.Axis(title=None, ticks=False, domain=False)),
        x=alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, top * 1.2])),
        tooltip=[
            alt.Tooltip("name:N", title=texts("chart.part")),
            alt.Tooltip("customers:Q", title=texts("chart.customers"), format=",.0f"),
            alt.Tooltip("value:Q", title=texts("chart.share"), format=".2%"),
        ],
    )
    colour = alt.Color("arm:N", legend=None, scale=alt.Scale(domain=["called", "held"], range=[MAIN, BEFORE]))
    bars = base.mark_bar(height=34, cornerRadiusEnd=2).encode(color=colour)
    labels = base.mark_text(align="left", dx=6, color=INK, fontSize=15).encode(text="label:N")
    return themed(alt.layer(bars, labels), height=56 * len(table))
