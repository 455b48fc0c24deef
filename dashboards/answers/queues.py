"""What the queue page asks: how each half-hour went, against the agents at work, by day and by queue."""

from dataclasses import replace
from datetime import date

import pandas as pd

from core.periods import Period
from dashboards.answers import kpis, kpis_before
from dashboards.frame import Frame

HALF_HOUR = 1800
#: Figures a half-hour is judged by, each with the sum that its mean over days is weighed with (None: a count).
MEASURES = {"sl_negative": "offered", "abandon_rate": "offered", "asa_seconds": "answered", "aht_seconds": "handled",
            "offered": None}  # fmt: skip
#: Every figure by half-hour is asked at once: one question serves the callers' chart and whichever figure is chosen.
HALF_HOURS = ("answered", "abandoned", *MEASURES)
#: Of more days the heat map shows the latest.
MOST_DAYS = 35
#: What the tiles show; asked day by day it also tells which days there are.
TILES = ("offered", "answered", "abandon_rate", "sl_negative", "sl_queue_target", "asa_seconds", "aht_seconds",
         "transfer_rate")  # fmt: skip
QUEUE_KPIS = ("offered", "answered", "sl_negative", "sl_queue_target", "abandon_rate", "asa_seconds", "aht_seconds",
              "transfer_rate")  # fmt: skip


def queue_names(frame: Frame) -> dict[str, str]:
    """Queue code → name, priority queues first."""
    queues = frame.source.rows("queues")
    return dict(zip(queues["code"], frame.named(queues), strict=True))


def one_day(frame: Frame, day: str | None) -> Frame:
    """The frame over one day of its period, compared with the day before; None: over the whole period."""
    if day is None:
        return frame
    chosen = Period(date.fromisoformat(day), date.fromisoformat(day))
    return replace(frame, view=replace(frame.view, preset="custom", period=chosen))


def _days(frame: Frame) -> list[pd.Timestamp]:
    """The days of the period on which somebody called, latest first."""
    rows = kpis(frame, ("day",), TILES)
    return sorted(pd.to_datetime(rows.loc[rows["offered"] > 0, "day"]), reverse=True)


def days_of(frame: Frame, weekdays: list[str]) -> dict[str, str]:
    """The days of the period that have figures, latest first: ISO day → how it reads."""
    return {f"{day:%Y-%m-%d}": f"{day:%Y-%m-%d} {weekdays[day.weekday()]}" for day in _days(frame)}


def load(frame: Frame) -> pd.DataFrame:
    """Callers of a mean day by half-hour: `half_hour`, `part`, `name`, `order`, `value`, and `agents` at work."""
    rows = kpis(frame, ("half_hour",), HALF_HOURS)
    rows = rows[rows["offered"] > 0].astype({"offered": float, "answered": float, "abandoned": float})
    days = max(kpis(frame, ("day",), TILES)["day"].nunique(), 1)
    rows = rows.assign(other=rows["offered"] - rows["answered"] - rows["abandoned"])
    work = frame.source.rows_of("agents_at_work", frame.view.period, city=frame.city)
    agents = dict(zip(work["half_hour"], work["at_work"] / (work["days"] * HALF_HOUR), strict=True))
    parts = [
        pd.DataFrame(
            {
                "half_hour": rows["half_hour"],
                "part": part,
                "name": frame.texts(f"queues.{part}"),
                "order": order,
                "value": rows[part] / days,
                "agents": rows["half_hour"].map(agents).astype(float),
            }
        )
        for order, part in enumerate(("answered", "abandoned", "other"))
    ]
    return pd.concat(parts, ignore_index=True)


def by_half_hour(frame: Frame, code: str) -> pd.DataFrame:
    """A figure by half-hour of the day beside the compared period: `half_hour`, `value`, `before`."""
    now, before = kpis(frame, ("half_hour",), HALF_HOURS), kpis_before(frame, ("half_hour",), HALF_HOURS)
    table = now[["half_hour", code]].rename(columns={code: "value"}).astype({"value": float})
    table = table[table["value"].notna()]
    if before is None or before.empty:
        return table.assign(before=float("nan"))
    other = before[["half_hour", code]].rename(columns={code: "before"}).astype({"before": float})
    return table.merge(other, on="half_hour", how="left")


def days_by_half_hour(frame: Frame, code: str, weekdays: list[str]) -> pd.DataFrame:
    """A figure of each day and half-hour: `half_hour`, `row` (the day), `value`; at most the latest 35 days."""
    days = _days(frame)[:MOST_DAYS]
    if days:
        # A year has ten times the days that are shown: the others are not asked for.
        shown = Period(days[-1].date(), frame.view.period.last)
        frame = replace(frame, view=replace(frame.view, period=shown))
    rows = kpis(frame, ("day", "half_hour"), [code, "offered"])
    rows = rows[rows[code].notna() & (rows["offered"] > 0)]
    stamps = pd.to_datetime(rows["day"])
    return pd.DataFrame(
        {
            "half_hour": rows["half_hour"],
            "row": [f"{day:%m-%d} {weekdays[day.weekday()]}" for day in stamps],
            "day": stamps.dt.date,
            "value": rows[code].astype(float),
        }
    ).sort_values(["day", "half_hour"])


def queues_compared(frame: Frame) -> pd.DataFrame:
    """Every queue's KPIs: `code`, `name` and the KPIs."""
    rows, names = kpis(frame, ("queue",), list(QUEUE_KPIS)), queue_names(frame)
    rows = rows[rows["queue"].isin(list(names)) & (rows["offered"] > 0)].rename(columns={"queue": "code"})
    rows = rows.assign(name=[names[code] for code in rows["code"]])
    return rows.sort_values("offered", ascending=False)
