"""What the channel page asks: mix, shift, outcomes, and contacts by city and service type."""

from collections.abc import Sequence

import pandas as pd

from dashboards.answers import kpis, kpis_before
from dashboards.frame import Frame
from dashboards.tables import bar_days, compared, starts, with_share


def channel_names(frame: Frame) -> dict[str, str]:
    """Channel code → name, in the catalogue's order."""
    channels = frame.source.rows("channels")
    return dict(zip(channels["code"], frame.named(channels), strict=True))


def channel_mix(frame: Frame) -> pd.DataFrame:
    """Contacts by channel: `code`, `name`, `value`, `share`, `before`, `share_before`."""
    now, before = kpis(frame, ("channel",), ["contacts"]), kpis_before(frame, ("channel",), ["contacts"])
    names = channel_names(frame)
    table = compared(now[now["contacts"] > 0], before, "channel", "contacts")
    table = with_share(table.rename(columns={"channel": "code"}))
    return table.assign(
        name=[names.get(code, code) for code in table["code"]],
        share_before=table["before"] / table["before"].sum() if table["before"].sum() else float("nan"),
    )


def channel_shift(frame: Frame) -> pd.DataFrame:
    """Contacts by channel over time: `start`, `first`, `last` (days), `code`, `name`, `order`, `value`, `share`."""
    rows = kpis(frame, ("day", "channel"), ["contacts"])
    rows = rows[rows["contacts"] > 0]
    names = channel_names(frame)
    order = {code: number for number, code in enumerate(names)}
    first, last = bar_days(frame.view.period, rows["day"])
    table = rows.assign(
        start=starts(frame.view.period, rows["day"]),
        first=first,
        last=last,
        code=rows["channel"],
        value=rows["contacts"],
    )
    sums = table.groupby(["start", "first", "last", "code"])["value"].sum().reset_index()
    table = sums.assign(
        name=[names.get(code, code) for code in sums["code"]], order=[order.get(code, 99) for code in sums["code"]]
    )
    return with_share(table, within=["start"])


def channels_by_city(frame: Frame) -> pd.DataFrame:
    """Contacts by city and channel: `row` (city), `column` (channel), `value`, `share` of the city's."""
    rows = kpis(frame, ("city", "channel"), ["contacts"])
    cities, channels = frame.unit_names(), channel_names(frame)
    table = pd.DataFrame(
        {
            "row": [cities.get(code, code) for code in rows["city"]],
            "column": [channels.get(code, code) for code in rows["channel"]],
            "city_key": rows["city"],
            "channel_key": rows["channel"],
            "value": rows["contacts"],
        }
    )
    return with_share(table[table["value"] > 0], within=["row"])


def channel_outcomes(frame: Frame, outcomes: Sequence[str]) -> pd.DataFrame:
    """How contacts of each channel ended: `row` (channel), `part` (outcome), `order`, `value`, `share`."""
    rows = frame.source.rows_of("outcomes", frame.view.period, city=frame.city)
    names = channel_names(frame)
    table = pd.DataFrame(
        {
            "row": [names.get(code, code) for code in rows["code"]],
            "part": [frame.texts(f"outcome.{outcome}") for outcome in rows["outcome"]],
            "order": [outcomes.index(outcome) for outcome in rows["outcome"]],
            "channel_key": rows["code"],
            "outcome_key": rows["outcome"],
            "value": rows["contacts"],
        }
    )
    return with_share(table, within=["row"])


def service_types_by_channel(frame: Frame) -> pd.DataFrame:
    """What contacts of each channel were about: `row` (service type), `column` (channel), `value`, `share`."""
    rows = kpis(frame, ("service_type", "channel"), ["contacts"])
    types, channels = frame.source.rows("service_types"), channel_names(frame)
    names = dict(zip(types["code"], frame.named(types), strict=True))
    tops = dict(zip(types["code"], types["top_code"], strict=True))
    table = pd.DataFrame(
        {
            "row": [names.get(code, code) for code in rows["service_type"]],
            "column": [channels.get(code, code) for code in rows["channel"]],
            "type_key": [tops.get(code, code) for code in rows["service_type"]],
            "channel_key": rows["channel"],
            "value": rows["contacts"],
        }
    )
    keys = ["row", "column", "type_key", "channel_key"]
    sums = table[table["value"] > 0].groupby(keys)["value"].sum().reset_index()
    return with_share(sums, within=["row"])
