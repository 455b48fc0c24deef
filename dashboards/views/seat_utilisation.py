"""Seat utilisation: what the installed seats are used for, when they are short, and which lie idle."""

import streamlit as st

from dashboards.annotations import notes_on
from dashboards.answers import daily
from dashboards.answers.seats import centres, occupancy_and_service, seat_shares, seat_states
from dashboards.behind import Behind
from dashboards.cards import card, tiles
from dashboards.choices import choose
from dashboards.figures.seats import fill_by_half_hour, occupancy_against_service, states_by_half_hour
from dashboards.figures.trends import trend
from dashboards.frame import current_frame
from dashboards.seat_cards import busy_agents, busy_queues, shift_cards, used_seats

TILES = ("seat_utilisation", "occupancy", "seat_fill", "working_time_utilisation", "shrinkage", "adherence")

frame = current_frame()
text = frame.texts
used = frame.kpi("seat_utilisation")
if frame.city or not frame.source.scope.is_province:
    st.caption(text("seats.city_note"))
tiles(frame, TILES)

known = centres(frame)
centre = choose(frame, "centre", text("filter.centre"), known) if len(known) > 1 else None
states = seat_states(frame, centre)
card(
    frame,
    "seat_states",
    states,
    lambda: states_by_half_hour(states, texts=text),
    kpis=["seat_utilisation"],
    behind=Behind("seats", ("half_hour", "name"), {"half_hour": "half_hour"}, {"centre": centre}),
)

left, right = st.columns(2)
with left:
    points = occupancy_and_service(frame)
    card(
        frame,
        "occupancy_service",
        points,
        lambda: occupancy_against_service(points, texts=text, target=frame.kpi("sl_negative").target),
        kpis=["occupancy", "sl_negative"],
        behind=Behind("visits", ("half_hour",), {"half_hour": "half_hour"}),
    )
with right:
    filled = seat_shares(frame, centre)
    card(
        frame,
        "seat_fill",
        filled,
        lambda: fill_by_half_hour(filled, texts=text),
        kpis=["seat_fill", "seat_utilisation"],
        behind=Behind("seats", ("half_hour", "measure"), {"half_hour": "half_hour"}, {"centre": centre}),
    )

shift_cards(frame, centre)
busy_queues(frame)
left, right = st.columns([3, 2])
with left:
    days = daily(frame, "seat_utilisation")
    card(
        frame,
        "trend_seat_utilisation",
        days,
        lambda: trend(
            days,
            texts=text,
            unit=used.unit,
            name=frame.kpi_name("seat_utilisation"),
            target=used.target,
            notes=notes_on(frame),
        ),
        kpis=["seat_utilisation"],
        behind=Behind("seats", ("day",), {"day": "day"}),
    )
with right:
    used_seats(frame, used)
busy_agents(frame)
