"""The channel page's cards of cost, satisfaction and journeys."""

import streamlit as st

from dashboards.answers.channel_depth import cost_and_satisfaction, journeys
from dashboards.answers.channels import channel_names
from dashboards.answers.quality import FEW_ANSWERS
from dashboards.behind import Behind
from dashboards.cards import card
from dashboards.figures.channels import cost_against_satisfaction
from dashboards.figures.grids import two_way
from dashboards.figures.theme import CHANNELS
from dashboards.frame import Frame
from dashboards.plain_table import plain_table


def cost_cards(frame: Frame) -> None:
    """What channels cost and achieve, and where customers go next."""
    text, names = frame.texts, channel_names(frame)
    priced = cost_and_satisfaction(frame)
    scored = priced[priced["answers"] >= FEW_ANSWERS].dropna(subset=["yuan_each", "satisfaction"])
    left, right = st.columns([2, 3])
    with left:
        card(
            frame,
            "channel_costs",
            scored,
            lambda: cost_against_satisfaction(scored, texts=text, colours=CHANNELS),
            kpis=["satisfaction", "survey_response_rate"],
            behind=Behind("contacts", ("name",), {"channel": "code"}),
        )
    with right:
        next_ones = journeys(frame)
        card(
            frame,
            "channel_journeys",
            next_ones,
            lambda: two_way(
                next_ones,
                texts=text,
                rows=[name for name in names.values() if name in set(next_ones["row"])],
                columns=[name for name in names.values() if name in set(next_ones["column"])],
            ),
            behind=Behind(
                "journeys",
                ("row", "column"),
                {
                    "channel": "channel_key",
                    "next_channel": "next_key",
                    "first": "first",
                    "last": "last",
                    "through": "through",
                },
            ),
        )
    plain_table(frame, "channel_prices", priced.rename(columns={"code": "channel_key"}),
                behind=Behind("contacts", ("name",), {"channel": "channel_key"}))  # fmt: skip
