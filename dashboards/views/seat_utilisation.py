"""Seat utilisation: what the installed seats are used for, when they are short, and which lie idle."""

import streamlit as st

from dashboards.annotations import notes_on
from dashboards.answers import daily
from dashboards.answers.seats import occupancy_and_service, seat_shares, seat_states, seats_used
from dashboards.behind import Behind
from dashboards.cards import card, tiles
from dashboards.figures.bars import ranked
from dashboards.figures.seats import fill_by_half_hour, occupancy_against_service, states_by_half_hour
from dashboards.figures.trends import trend
from dashboards.frame import current_frame

TILES = ("seat_utilisation", "occupancy", "seat_fill", "working_time_utilisation")

frame = current_frame()
text = frame.texts
used = frame.kpi("seat_utilisation")
if frame.city:
    st.caption(text("seats.city_note"))
tiles(frame, TILES)

states = seat_states(frame)
card(
    frame,
    "seat_states",
    states,
    lambda: states_by_half_hour(states, texts=text),
    kpis=["seat_utilisation"],
    behind=Behind("seats", ("half_hour", "name"), {"half_hour": "half_hour"}),
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
    filled = seat_shares(frame)
    card(
        frame,
        "seat_fill",
        filled,
        lambda: fill_by_half_hour(filled, texts=text),
        kpis=["seat_fill", "seat_utilisation"],
        behind=Behind("seats", ("half_hour", "measure"), {"half_hour": "half_hour"}),
    )

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
    default = "centre" if len(seats_used(frame, "centre")) > 1 else "seat"
    by = st.session_state.get("seats_by", default)
    seats = seats_used(frame, by)
    card(
        frame,
        f"seats_by_{by}",
        seats,
        lambda: ranked(seats, texts=text, unit=used.unit, name=frame.kpi_name("seat_utilisation")),
        kpis=["seat_utilisation"],
        behind=Behind("seats", ("name",), {by: "name"}),
        control=lambda: st.segmented_control(
            text("seats.by"),
            ("centre", "seat"),
            default=default,
            required=True,
            format_func=lambda each: text(f"seats.by_{each}"),
            key="seats_by",
            label_visibility="collapsed",
            persist_state="session",
        ),
    )
