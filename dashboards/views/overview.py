"""Overview: how the centre did, what deserves a look, when and where."""

import pandas as pd
import streamlit as st

from dashboards.annotations import notes_on
from dashboards.answers import cities_compared, daily
from dashboards.answers.overview import CITY_KPIS, attention_list, half_hours_by_weekday
from dashboards.behind import Behind
from dashboards.cards import card, tiles
from dashboards.figures.grids import half_hour_map
from dashboards.figures.trends import trend
from dashboards.frame import current_frame
from dashboards.league import league
from dashboards.overview_cards import comparison_table, findings_card, map_card

TILES = (
    "contacts",
    "sl_negative",
    "abandon_rate",
    "asa_seconds",
    "aht_seconds",
    "seat_utilisation",
    "tickets",
    "complaints",
)
MEASURES = {"sl_negative": "offered", "offered": None, "contacts": None}

frame = current_frame()
text = frame.texts

tiles(frame, TILES)
by_day = {code: daily(frame, code) for code in ("contacts", "sl_negative")}
findings_card(frame, attention_list(frame, TILES), has_data=not by_day["contacts"].empty)

notes = notes_on(frame)
left, right = st.columns(2)
for column, code in ((left, "contacts"), (right, "sl_negative")):
    with column:
        kpi, table = frame.kpi(code), by_day[code]
        card(
            frame,
            f"trend_{code}",
            table,
            lambda kpi=kpi, table=table: trend(  # type: ignore[misc]  # bound as defaults
                table, texts=text, unit=kpi.unit, name=frame.kpi_name(kpi.code), target=kpi.target, notes=notes
            ),
            kpis=[code],
            behind=Behind("contacts" if code == "contacts" else "visits", ("day",), {"day": "day"}),
        )

measure = st.session_state.get("half_hour_measure", "sl_negative")
measured = frame.kpi(measure)
weekdays = [text(f"weekday.{number}") for number in range(1, 8)]
heat: pd.DataFrame = half_hours_by_weekday(frame, measure, MEASURES[measure], weekdays)
card(
    frame,
    "half_hours",
    heat,
    lambda: half_hour_map(
        heat,
        texts=text,
        unit=measured.unit,
        name=frame.kpi_name(measure),
        target=measured.target,
        rows=weekdays,
    ),
    kpis=[measure],
    behind=Behind(
        "contacts" if measure == "contacts" else "visits",
        ("row", "half_hour"),
        {"weekday": "weekday", "half_hour": "half_hour"},
    ),
    control=lambda: st.segmented_control(
        text("card.half_hours.measure"),
        list(MEASURES),
        default="sl_negative",
        required=True,
        format_func=frame.kpi_name,
        key="half_hour_measure",
        label_visibility="collapsed",
        persist_state="session",
    ),
)
left, right = st.columns([2, 3])
with left:
    map_card(frame)
with right:
    comparison_table(frame, TILES)
cities = cities_compared(frame, CITY_KPIS)
league(
    frame,
    "cities",
    cities[cities["contacts"].fillna(0) + cities["tickets"].fillna(0) > 0],
    CITY_KPIS,
    bars=["contacts", "complaint_rate"],
    behind=Behind("contacts", ("name",), {"city": "city_code"}),
)
