"""What channels cost against how content their customers are."""

from typing import Any

import altair as alt
import pandas as pd

from core.i18n import Texts
from dashboards.figures.theme import BEFORE, INK, themed

_Box = tuple[float, float, float, float]
#: About how large the plot is on a page of usual width, in pixels.
_PLOT = {"yuan_each": 330.0, "satisfaction": 240.0}
_SIDES: dict[str, dict[str, Any]] = {
    "above": {"dy": -18},
    "below": {"dy": 18},
    "right": {"dx": 16, "align": "left"},
    "left": {"dx": -16, "align": "right"},
}


def cost_against_satisfaction(table: pd.DataFrame, *, texts: Texts, colours: dict[str, str]) -> Any:
    """Each channel as a point: yuan a contact across, mean score up, larger with more contacts.

    Args:
        table: `code`, `name`, `contacts`, `yuan_each`, `satisfaction`; rows without cost or score are left out.
        texts: the page's texts.
        colours: a colour for each code.
    """
    known = table.dropna(subset=["yuan_each", "satisfaction"]).astype({"yuan_each": float, "satisfaction": float})
    known = known.assign(side=_sides(known))
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
    labels = [
        base.transform_filter(alt.datum.side == side).mark_text(fontSize=12, color=INK, **place).encode(text="name:N")
        for side, place in _SIDES.items()
    ]
    return themed(alt.layer(points, *labels), height=340)


def _sides(table: pd.DataFrame) -> list[str]:
    """On which side of its point each name stands, so that names keep clear of each other and of points."""
    places = list(zip(*(_pixels(table[column], length) for column, length in _PLOT.items()), strict=True))
    taken = [(x - 10, y - 10, x + 10, y + 10) for x, y in places]
    sides = []
    for (x, y), name in zip(places, table["name"], strict=True):
        wide = sum(7 if letter.isascii() else 13 for letter in str(name))
        boxes = {
            "above": (x - wide / 2, y + 12, x + wide / 2, y + 26),
            "below": (x - wide / 2, y - 26, x + wide / 2, y - 12),
            "right": (x + 16, y - 7, x + 16 + wide, y + 7),
            "left": (x - 16 - wide, y - 7, x - 16, y + 7),
        }
        side = min(boxes, key=lambda each: sum(_overlap(boxes[each], other) for other in taken))
        taken.append(boxes[side])
        sides.append(side)
    return sides


def _pixels(values: pd.Series, length: float) -> list[float]:
    span = float(values.max() - values.min()) or 1.0
    return [float(value - values.min()) / span * length for value in values]


def _overlap(one: _Box, other: _Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)
