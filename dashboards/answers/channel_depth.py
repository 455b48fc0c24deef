"""What the channel page asks beyond counts: what channels cost, how content customers are, and who comes again."""

from datetime import timedelta

import pandas as pd

from core.periods import Period
from dashboards.answers import kpis
from dashboards.answers.channels import channel_names
from dashboards.answers.quality import answers_by_channel
from dashboards.costs import cost_of
from dashboards.data import date_key
from dashboards.frame import Frame

#: A journey goes on within so many days.
DAYS = 7
MEASURES = ("contacts", "handled", "aht_seconds", "satisfaction", "survey_response_rate", "fcr")


def cost_and_satisfaction(frame: Frame) -> pd.DataFrame:
    """Channels with their cost and satisfaction, most contacts first.

    Columns: `code`, `name`, `contacts`, `yuan` (in all), `yuan_each`, `measured` (words), `satisfaction`,
    `answers` (how many), `survey_response_rate`, `fcr`; NULL where nothing is known.
    """
    rows = kpis(frame, ("channel",), MEASURES)
    rows = rows[rows["contacts"] > 0].sort_values("contacts", ascending=False)
    names, text, answered = channel_names(frame), frame.texts, answers_by_channel(frame)
    found = []
    for row in rows.to_dict("records"):
        handled, mean = row["handled"], row["aht_seconds"]
        seconds = float(handled) * float(mean) if handled and pd.notna(mean) else 0.0
        cost = cost_of(row["channel"], float(row["contacts"]), seconds)
        found.append(
            {
                "code": row["channel"],
                "name": names.get(row["channel"], row["channel"]),
                "contacts": row["contacts"],
                "yuan": round(cost.yuan) if cost else None,
                "yuan_each": round(cost.yuan / float(row["contacts"]), 2) if cost else None,
                "measured": text("channel.measured" if cost and cost.is_measured else "channel.assumed")
                if cost
                else "",
                "satisfaction": row["satisfaction"],
                "answers": answered.get(row["channel"], 0),
                "survey_response_rate": row["survey_response_rate"],
                "fcr": row["fcr"],
            }
        )
    columns = [
        "code",
        "name",
        "contacts",
        "yuan",
        "yuan_each",
        "measured",
        "satisfaction",
        "answers",
        "survey_response_rate",
        "fcr",
    ]
    return pd.DataFrame(found, columns=columns)


def journey_days(frame: Frame) -> Period | None:
    """The days of the period of which the seven days after are over."""
    last = min(frame.view.period.last, frame.known.days.last - timedelta(days=DAYS))
    return Period(frame.view.period.first, last) if frame.view.period.first <= last else None


def journeys(frame: Frame) -> pd.DataFrame:
    """From one channel to another within seven days: `row`, `column` (names), their keys, `value`, `share`, the days.

    `share` is of all contacts of the row's channel, also those after which nobody came again; the same channel again is
    left out. `first`, `last` and `through` are keys of the days followed.
    """
    days = journey_days(frame)
    if days is None:
        return pd.DataFrame(columns=["row", "column", "value", "share"])
    rows = frame.source.rows_of("journeys", days, city=frame.city)
    names = channel_names(frame)
    share = rows["contacts"] / rows.groupby("from_channel")["contacts"].transform("sum")
    table = pd.DataFrame(
        {
            "row": [names.get(code, code) for code in rows["from_channel"]],
            "column": [names.get(code, code) for code in rows["to_channel"]],
            "channel_key": rows["from_channel"],
            "next_key": rows["to_channel"],
            "value": rows["contacts"],
            "share": share,
        }
    )
    another = (table["next_key"] != "none") & (table["next_key"] != table["channel_key"])
    return table[another].assign(first=days.first, last=days.last, through=date_key(days.last + timedelta(days=DAYS)))
