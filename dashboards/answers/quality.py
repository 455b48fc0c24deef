"""What the service-quality page asks: scores, first-contact resolution, repeats, by channel, city and agent."""

from collections.abc import Sequence

import pandas as pd

from core.i18n import name_field
from dashboards.answers import cities_compared, kpis, kpis_before
from dashboards.answers.channels import channel_names
from dashboards.frame import Frame
from dashboards.scope import SEE_AGENTS
from dashboards.tables import compared, with_share

#: Fewer answers than this say little about a member.
FEW_ANSWERS = 10
CITY_KPIS = ("satisfaction", "survey_response_rate", "fcr", "reopen_rate", "complaint_rate", "resolution_met")
CHANNEL_KPIS = ("contacts", "satisfaction", "survey_response_rate", "fcr")
AGENT_KPIS = ("answered", "satisfaction", "survey_response_rate", "aht_seconds", "transfer_rate")


def answers_by_channel(frame: Frame) -> dict[str, int]:
    """How many satisfaction questions were answered after contacts on each channel, by its code."""
    rows = frame.source.rows_of("survey_scores", frame.view.period, city=frame.city)
    answered = rows[rows["score"].notna()].groupby("channel")["answers"].sum()
    return {str(code): int(count) for code, count in answered.items()}


def scores(frame: Frame) -> pd.DataFrame:
    """Answers by channel and score: `row` (channel), its key, `part`, `order` (both the score), `value`, `share`."""
    rows = frame.source.rows_of("survey_scores", frame.view.period, city=frame.city)
    rows = rows[rows["score"].notna()]
    names = channel_names(frame)
    order = {code: number for number, code in enumerate(names)}
    rows = rows.sort_values("channel", key=lambda codes: codes.map(order))
    table = pd.DataFrame(
        {
            "row": [names.get(code, code) for code in rows["channel"]],
            "channel_key": rows["channel"],
            "part": [frame.texts(f"score.{int(score)}") for score in rows["score"]],
            "order": rows["score"].astype(int),
            "value": rows["answers"].astype(int),
        }
    )
    return with_share(table, within=["row"])


def resolved_by(frame: Frame, dimension: str) -> pd.DataFrame:
    """First-contact resolution by `channel` or `service_type`: `code`, `name`, `value`, `before`; largest first."""
    now, before = kpis(frame, (dimension,), ["fcr"]), kpis_before(frame, (dimension,), ["fcr"])
    known = None if before is None else before[before["fcr"].notna()].astype({"fcr": float})
    table = compared(now[now["fcr"].notna()].astype({"fcr": float}), None, dimension, "fcr")
    if known is not None and not known.empty:
        table["before"] = table[dimension].map(dict(zip(known[dimension], known["fcr"], strict=True)))
    names = channel_names(frame) if dimension == "channel" else _service_types(frame)
    table = table.rename(columns={dimension: "code"})
    return table.assign(name=[names.get(code, code) for code in table["code"]])


def _service_types(frame: Frame) -> dict[str, str]:
    types = frame.source.rows("service_types")
    return dict(zip(types["code"], frame.named(types), strict=True))


def repeats(frame: Frame) -> pd.DataFrame:
    """Repeated complaints by kind: `code`, `name`, `complaints`, `repeated`, `value` (share), `before` (empty)."""
    rows = frame.source.rows_of("repeat_complaints", frame.view.period, city=frame.city)
    table = pd.DataFrame(
        {
            "code": rows["code"],
            "name": rows[name_field(frame.texts.language)].fillna(rows["code"]),
            "complaints": rows["complaints"].astype(int),
            "repeated": rows["repeats"].astype(int),
            "before": float("nan"),
        }
    )
    return table.assign(value=table["repeated"] / table["complaints"])


def cities(frame: Frame) -> pd.DataFrame:
    """Every city's quality: `name` and the KPIs."""
    rows = cities_compared(frame, list(CITY_KPIS))
    return rows[rows["satisfaction"].notna() | rows["fcr"].notna()].sort_values("satisfaction", ascending=False)


def channels(frame: Frame) -> pd.DataFrame:
    """Every channel's quality: `name` and the KPIs."""
    rows, names = kpis(frame, ("channel",), list(CHANNEL_KPIS)), channel_names(frame)
    rows = rows[rows["contacts"] > 0].assign(name=lambda found: [names.get(code, code) for code in found["channel"]])
    return rows.sort_values("contacts", ascending=False)


def agents(frame: Frame, codes: Sequence[str] = AGENT_KPIS) -> pd.DataFrame | None:
    """Every agent's quality: `name` (staff number) and the KPIs; None: the viewer may not see single agents."""
    if not frame.may(SEE_AGENTS):
        return None
    rows = kpis(frame, ("agent",), codes).rename(columns={"agent": "name"})
    rows = rows[(rows["answered"] > 0) & ~rows["name"].isin(["none", "not_arrived"])]
    return rows.sort_values("answered", ascending=False)
