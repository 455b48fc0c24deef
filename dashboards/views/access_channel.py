"""Access channel: how customers reach the centre, how that shifts, and what becomes of it."""

import streamlit as st

from dashboards.annotations import notes_on
from dashboards.answers.channels import (
    channel_mix,
    channel_names,
    channel_outcomes,
    channel_shift,
    channels_by_city,
    service_types_by_channel,
)
from dashboards.behind import Behind
from dashboards.cards import card, tiles
from dashboards.channel_cards import cost_cards
from dashboards.figures.bars import mix, stacked
from dashboards.figures.grids import two_way
from dashboards.figures.theme import CHANNELS, OUTCOMES
from dashboards.figures.trends import shares
from dashboards.frame import current_frame

frame = current_frame()
text = frame.texts
tiles(frame, ("contacts", "fcr", "ivr_containment", "satisfaction"))

names = channel_names(frame)
left, right = st.columns([2, 3])
with left:
    mixed = channel_mix(frame)
    card(
        frame,
        "channel_mix",
        mixed,
        lambda: mix(mixed, texts=text, colours=CHANNELS),
        kpis=["contacts"],
        behind=Behind("contacts", ("name",), {"channel": "code"}),
    )
with right:
    shifted = channel_shift(frame)
    card(
        frame,
        "channel_shift",
        shifted,
        lambda: shares(shifted, texts=text, colours=CHANNELS, notes=notes_on(frame)),
        kpis=["contacts"],
        behind=Behind("contacts", ("start", "name"), {"first": "first", "last": "last", "channel": "code"}),
    )

left, right = st.columns([2, 3])
with left:
    ended = channel_outcomes(frame, list(OUTCOMES))
    card(
        frame,
        "channel_outcomes",
        ended,
        lambda: stacked(
            ended,
            texts=text,
            rows=[name for name in names.values() if name in set(ended["row"])],
            parts=[text(f"outcome.{outcome}") for outcome in OUTCOMES],
            colours=list(OUTCOMES.values()),
        ),
        kpis=["ended_in_ivr", "blocked"],
        behind=Behind("contacts", ("row", "part"), {"channel": "channel_key", "outcome": "outcome_key"}),
    )
with right:
    about = service_types_by_channel(frame)
    card(
        frame,
        "channel_types",
        about,
        lambda: two_way(
            about,
            texts=text,
            rows=list(about.groupby("row")["value"].sum().sort_values(ascending=False).index),
            columns=[name for name in names.values() if name in set(about["column"])],
        ),
        kpis=["contacts"],
        behind=Behind("contacts", ("row", "column"), {"service_type": "type_key", "channel": "channel_key"}),
    )

placed = channels_by_city(frame)
card(
    frame,
    "channel_cities",
    placed,
    lambda: two_way(
        placed,
        texts=text,
        rows=[name for name in frame.unit_names().values() if name in set(placed["row"])],
        columns=[name for name in names.values() if name in set(placed["column"])],
    ),
    kpis=["contacts"],
    behind=Behind("contacts", ("row", "column"), {"city": "city_key", "channel": "channel_key"}),
)
cost_cards(frame)
