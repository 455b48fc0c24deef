"""Cards of the seat page: what keeps agents busy, queue by queue and one by one, and which seats are used."""

import streamlit as st

from core.kpi import Kpi
from dashboards.answers.quality import agents
from dashboards.answers.seats import AGENT_KPIS, queues_worked, seats_used
from dashboards.answers.shifts import CENTRE_KPIS, centres_scheduled, scheduled_time
from dashboards.behind import Behind
from dashboards.cards import card
from dashboards.figures.bars import ranked
from dashboards.figures.seats import busy_by_queue, states_by_half_hour
from dashboards.figures.theme import SHIFTS
from dashboards.frame import Frame
from dashboards.league import league


def shift_cards(frame: Frame, centre: str | None) -> None:
    """What became of the time for which agents were scheduled: through the day, and centre by centre."""
    text, planned = frame.texts, scheduled_time(frame, centre)
    card(
        frame,
        "seat_shifts",
        planned,
        lambda: states_by_half_hour(planned, texts=text, colours=SHIFTS, counted="chart.scheduled"),
        kpis=CENTRE_KPIS,
        behind=Behind("shifts", ("half_hour", "name"), {"half_hour": "half_hour"}, {"centre": centre}),
    )
    league(
        frame,
        "seat_centres",
        centres_scheduled(frame),
        ("scheduled_hours", *CENTRE_KPIS),
        behind=Behind("shifts", ("name",), {"centre": "name"}),
    )


def busy_queues(frame: Frame) -> None:
    """How many agents each queue's callers keep busy, by half-hour."""
    worked = queues_worked(frame)
    card(
        frame,
        "seat_queues",
        worked,
        lambda: busy_by_queue(worked, texts=frame.texts),
        kpis=["handled", "aht_seconds"],
        behind=Behind("visits", ("half_hour", "name"), {"half_hour": "half_hour", "queue": "queue"}),
    )


def busy_agents(frame: Frame) -> None:
    """Every agent's occupancy and working time, for those who may see single agents."""
    people = agents(frame, AGENT_KPIS)
    if people is None:
        st.caption(frame.texts("quality.no_agents"))
    else:
        league(
            frame,
            "seat_agents",
            people,
            AGENT_KPIS,
            bars=["answered"],
            behind=Behind("visits", ("name",), {"agent": "name"}),
        )


def used_seats(frame: Frame, used: Kpi) -> None:
    """Seat utilisation by centre or by seat, as chosen."""
    text = frame.texts
    default = "centre" if len(seats_used(frame, "centre")) > 1 else "seat"
    by = st.session_state.get("seats_by", default)
    seats = seats_used(frame, by)
    card(
        frame,
        f"seats_by_{by}",
        seats,
        lambda: ranked(seats, texts=text, unit=used.unit, name=frame.kpi_name(used.code)),
        kpis=[used.code],
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
