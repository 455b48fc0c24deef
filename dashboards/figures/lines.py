"""Lines in use: through the day, and each day's peak."""

from typing import Any

import altair as alt
import pandas as pd

from core.i18n import Texts
from dashboards.figures.theme import BEFORE, MAIN, PARTS, TARGET, day_axis, half_hour_axis, themed


def in_use(table: pd.DataFrame, *, texts: Texts, needed: int = 0) -> Any:
    """Mean lines in use as bars, the period's peak as a line, lines needed for the busy hour as a rule.

    Args:
        table: `half_hour`, `mean`, `peak`.
        texts: the page's texts.
        needed: 0 draws no rule.
    """
    rows = pd.concat(
        [
            table[["half_hour"]].assign(kind=texts("lines.mean"), value=table["mean"]),
            table[["half_hour"]].assign(kind=texts("lines.peak"), value=table["peak"].astype(float)),
        ]
    )
    names = [texts("lines.mean"), texts("lines.peak")]
    colour = alt.Color("kind:N", sort=names, scale=alt.Scale(domain=names, range=[BEFORE, MAIN]))
    base = alt.Chart(rows).encode(
        x=half_hour_axis(table["half_hour"]),
        y=alt.Y(
            "value:Q",
            axis=alt.Axis(title=None, format=",.0f", tickCount=5, tickMinStep=1),
            scale=alt.Scale(domainMin=0),
        ),
        color=colour,
        tooltip=[
            alt.Tooltip("half_hour:O", title=texts("chart.half_hour")),
            alt.Tooltip("kind:N", title=texts("chart.measure")),
            alt.Tooltip("value:Q", title=texts("lines.lines"), format=",.1f"),
        ],
    )
    bars = base.transform_filter(alt.datum.kind == names[0]).mark_bar(width={"band": 0.8})
    line = base.transform_filter(alt.datum.kind == names[1]).mark_line(strokeWidth=2.2, point={"size": 20})
    layers = [bars, line]
    if needed:
        data = pd.DataFrame({"needed": [needed], "label": [texts("lines.needed", lines=needed)]})
        rule = alt.Chart(data).encode(y="needed:Q")
        layers.append(rule.mark_rule(color=TARGET, strokeDash=[2, 3], strokeWidth=1.4))
        layers.append(
            rule.mark_text(color=TARGET, align="right", baseline="bottom", dy=-3).encode(
                x=alt.value("width"), text="label:N"
            )
        )
    return themed(alt.layer(*layers), height=280)


def peaks(table: pd.DataFrame, *, texts: Texts, measure: str | None = None, form: str = ",.0f") -> Any:
    """A count by day, a line for each kind: most lines in use at once, or another `measure`.

    Args:
        table: `day`, `name`, `value`.
        texts: the page's texts.
        measure: what is counted.
        form: the numbers' format.
    """
    whole = {"tickMinStep": 1} if form == ",.0f" else {}
    names = list(dict.fromkeys(table["name"]))
    base = alt.Chart(table).encode(
        x=alt.X("day:T", axis=day_axis()),
        y=alt.Y(
            "value:Q",
            axis=alt.Axis(title=None, format=form, tickCount=5, **whole),
            scale=alt.Scale(domainMin=0),
        ),
        color=alt.Color(
            "name:N",
            sort=names,
            scale=alt.Scale(domain=names, range=PARTS[: len(names)]),
            legend=alt.Legend(symbolType="stroke"),
        ),
        tooltip=[
            alt.Tooltip("day:T", title=texts("chart.day"), format="%Y-%m-%d"),
            alt.Tooltip("name:N", title=texts("lines.kind")),
            alt.Tooltip("value:Q", title=measure or texts("lines.peak"), format=form),
        ],
    )
    # Unseen and larger, so that a point is hit without aiming.
    return themed(alt.layer(base.mark_line(strokeWidth=2.2, point={"size": 20}), base.mark_circle(size=160, opacity=0)))
