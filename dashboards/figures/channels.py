"""What channels cost against how content their customers are."""

from typing import Any

import altair as alt
import pandas as pd

from core.i18n import Texts
from dashboards.figures.theme import BEFORE, INK, themed


def cost_against_satisfaction(table: pd.DataFrame, *, texts: Texts, colours: dict[str, str]) -> Any:
    """Each channel as a point: yuan a contact across, mean score up, larger with more contacts.

    Args:
        table: `code`, `name`, `contacts`, `yuan_each`, `satisfaction`; rows without cost or score are left out.
        texts: the page's texts.
        colours: a colour for each code.
    """
    known = table.dropna(subset=["yuan_each", "satisfaction"]).astype({"yuan_each": float, "satisfaction": float})
    codes = list(known["code"])
    base = alt.Chart(known).encode(
        x=alt.X(
            "yuan_each:Q",
            scale=alt.Scale(zero=True, nice=True, padding=20),
            axis=alt.Axis(title=texts("column.yuan_each"), format=",.1f", tickCount=6),
        ),
        y=alt.Y(
            "satisfaction:Q",
            scale=alt.Scale(zero=False, nice=True, padding=20),
            axis=alt.Axis(title=texts("chart.satisfaction"), format=".1f", tickCount=5),
        ),
    )
    points = base.mark_circle(opacity=0.9, stroke="white", strokeWidth=1).encode(
        size=alt.Size("contacts:Q", scale=alt.Scale(range=[60, 900]), legend=None),
        color=alt.Color(
            "code:N", legend=None, scale=alt.Scale(domain=codes, range=[colours.get(code, BEFORE) for code in codes])
        ),
        tooltip=[
            alt.Tooltip("name:N", title=texts("chart.part")),
            alt.Tooltip("contacts:Q", title=texts("chart.count"), format=",.0f"),
            alt.Tooltip("yuan_each:Q", title=texts("column.yuan_each"), format=",.2f"),
            alt.Tooltip("satisfaction:Q", title=texts("chart.satisfaction"), format=".2f"),
        ],
    )
    labels = base.mark_text(dy=-18, fontSize=12, color=INK).encode(text="name:N")
    return themed(points + labels, height=340)
