"""Queue performance: each half-hour's callers against the agents at work, when it went wrong, and in which queue."""

import streamlit as st

from dashboards.answers.queues import (
    MEASURES,
    QUEUE_KPIS,
    TILES,
    by_half_hour,
    days_by_half_hour,
    days_of,
    load,
    one_day,
    queue_names,
    queues_compared,
)
from dashboards.behind import Behind
from dashboards.cards import card, tiles
from dashboards.choices import choose, pick_one
from dashboards.figures.grids import half_hour_map
from dashboards.figures.service import load_and_agents, through_the_day
from dashboards.frame import current_frame
from dashboards.league import league

whole = current_frame()
text = whole.texts
weekdays = [text(f"weekday.{number}") for number in range(1, 8)]
with st.container(horizontal=True, vertical_alignment="bottom", key="own_filters"):
    queue = choose(whole, "queue", text("filter.queue"), queue_names(whole))
    day = choose(whole, "day", text("filter.day"), days_of(whole, weekdays))
period = whole.narrowed(queue=queue)
frame = one_day(period, day)
if day:
    st.caption(text("queues.one_day", day=day))
tiles(frame, TILES)

callers = load(frame)
of_queue = {"queue": queue}
card(
    frame,
    "queue_load",
    callers,
    lambda: load_and_agents(callers, texts=text),
    kpis=["offered", "answered"],
    behind=Behind("visits", ("half_hour", "name"), {"half_hour": "half_hour", "ended": "part"}, of_queue),
)

with st.container(horizontal=True, key="measure"):
    measure = pick_one(frame, "measure", {code: frame.kpi_name(code) for code in MEASURES}, "sl_negative")
measured, name = frame.kpi(measure), frame.kpi_name(measure)
through = by_half_hour(frame, measure)
card(
    frame,
    "queue_half_hours",
    through,
    lambda: through_the_day(through, texts=text, unit=measured.unit, name=name, target=measured.target),
    kpis=[measure],
    title=text("card.queue_half_hours.of", name=name),
    behind=Behind("visits", ("half_hour",), {"half_hour": "half_hour"}, of_queue),
)
heat = days_by_half_hour(period, measure, weekdays)
card(
    period,
    "queue_days",
    heat,
    lambda: half_hour_map(
        heat,
        texts=text,
        unit=measured.unit,
        name=name,
        target=measured.target,
        rows=list(dict.fromkeys(heat["row"])),
        row_height=20,
    ),
    kpis=[measure],
    title=text("card.queue_days.of", name=name),
    behind=Behind("visits", ("row", "half_hour"), {"day": "day", "half_hour": "half_hour"}, of_queue),
)
every = one_day(whole, day)
league(
    every,
    "queues",
    queues_compared(every),
    QUEUE_KPIS,
    bars=["offered"],
    behind=Behind("visits", ("name",), {"queue": "code"}),
)
