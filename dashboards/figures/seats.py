"""Seats through the day: what people at them do, and what that does to the service level."""

from typing import Any

import altair as alt
import pandas as pd

from core.i18n import Texts
from dashboards.figures.theme import INK, MAIN, MUTED, PARTS, STATES, TARGET, half_hour_axis, named_colours, themed


def states_by_half_hour(
    table: pd.DataFrame, *, texts: Texts, colours: dict[str, str] = STATES, counted: str = "chart.seats"
) -> Any:
    """Mean number of seats (or agents) in each state by half-hour, stacked up to all of them.

    Args:
        table: `half_hour` ('08:30'), `state` (a key of `colours`), `name`, `order`, `seats` (a mean).
        texts: the page's texts.
        colours: of the states from the bottom.
        counted: the text of what is counted.
    """
    names = dict(zip(table["state"], table["name"], strict=True))
    return themed(
        alt.Chart(table)
        .mark_bar(width={"band": 1})
        .encode(
            x=half_hour_axis(table["half_hour"]),
            y=alt.Y(
                "seats:Q",
                stack="zero",
                axis=alt.Axis(title=texts(counted), format=",.0f", tickCount=5, tickMinStep=1),
            ),
            color=named_colours(names, colours),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("half_hour:O", title=texts("chart.half_hour")),
                alt.Tooltip("name:N", title=texts("chart.state")),
                alt.Tooltip("seats:Q", title=texts(counted), format=",.1f"),
            ],
        ),
        height=300,
    )


def busy_by_queue(table: pd.DataFrame, *, texts: Texts) -> Any:
    """Mean agents busy with each queue's callers by half-hour, stacked.

    Args:
        table: `half_hour`, `name` (of the queue), `order`, `seats` (a mean).
        texts: the page's texts.
    """
    names = list(table.drop_duplicates("name").sort_values("order")["name"])
    colours = [PARTS[number % len(PARTS)] for number in range(len(names))]
    return themed(
        alt.Chart(table)
        .mark_bar(width={"band": 1})
        .encode(
            x=half_hour_axis(table["half_hour"]),
            y=alt.Y("seats:Q", stack="zero", axis=alt.Axis(title=texts("chart.busy"), format=",.2~f", tickCount=5)),
            color=alt.Color("name:N", sort=names, scale=alt.Scale(domain=names, range=colours)),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("half_hour:O", title=texts("chart.half_hour")),
                alt.Tooltip("name:N", title=texts("filter.queue")),
                alt.Tooltip("seats:Q", title=texts("chart.busy"), format=",.2f"),
            ],
        ),
        height=300,
    )


def occupancy_against_service(table: pd.DataFrame, *, texts: Texts, target: float | None) -> Any:
    """Each half-hour of the day as a point: how busy agents were, and the service level callers got.

    Args:
        table: `half_hour`, `occupancy`, `sl_negative`, `offered`.
        texts: the page's texts.
        target: service level aimed at.
    """
    base = alt.Chart(table)
    points = base.mark_circle(color=MAIN, opacity=0.75, stroke="white", strokeWidth=1).encode(
        x=alt.X(
            "occupancy:Q",
            scale=alt.Scale(zero=False, nice=True),
            axis=alt.Axis(title=texts("chart.occupancy"), format=".0%", tickCount=6),
        ),
        y=alt.Y(
            "sl_negative:Q",
            scale=alt.Scale(zero=False, nice=True),
            axis=alt.Axis(title=texts("chart.service_level"), format=".0%", tickCount=6),
        ),
        size=alt.Size("offered:Q", scale=alt.Scale(range=[30, 500]), legend=None),
        tooltip=[
            alt.Tooltip("half_hour:N", title=texts("chart.half_hour")),
            alt.Tooltip("occupancy:Q", title=texts("chart.occupancy"), format=".1%"),
            alt.Tooltip("sl_negative:Q", title=texts("chart.service_level"), format=".1%"),
            alt.Tooltip("offered:Q", title=texts("chart.offered"), format=",.0f"),
        ],
    )
    labels = base.mark_text(align="left", dx=14, fontSize=11, color=MUTED).encode(
        x="occupancy:Q",
        y="sl_negative:Q",
        text="half_hour:N",
        opacity=alt.condition("datum.is_extreme", alt.value(1), alt.value(0)),
    )
    layers = [points, labels]
    if target is not None:
        rule = alt.Chart(pd.DataFrame({"target": [target]})).mark_rule(color=TARGET, strokeDash=[2, 3])
        layers.insert(0, rule.encode(y="target:Q"))
    return themed(alt.layer(*layers), height=300)


def fill_by_half_hour(table: pd.DataFrame, *, texts: Texts) -> Any:
    """Seat fill and seat utilisation by half-hour.

    Args:
        table: `half_hour`, `measure` (a name), `order`, `value` (share).
        texts: the page's texts.
    """
    names = list(table.drop_duplicates("measure").sort_values("order")["measure"])
    return themed(
        alt.Chart(table)
        .mark_line(strokeWidth=2.2, point={"size": 40})
        .encode(
            x=half_hour_axis(table["half_hour"]),
            y=alt.Y("value:Q", axis=alt.Axis(title=None, format=".0%", tickCount=5), scale=alt.Scale(domainMin=0)),
            color=alt.Color(
                "measure:N",
                sort=names,
                scale=alt.Scale(domain=names, range=[INK, MAIN]),
                legend=alt.Legend(symbolType="stroke"),
            ),
            tooltip=[
                alt.Tooltip("half_hour:O", title=texts("chart.half_hour")),
                alt.Tooltip("measure:N", title=texts("chart.measure")),
                alt.Tooltip("value:Q", title=texts("chart.share"), format=".1%"),
            ],
        ),
        height=300,
    )
