"""What the resource page asks: lines in use, the busy hour and its traffic, lines needed, recordings."""

import math
from dataclasses import dataclass

import pandas as pd

from dashboards.frame import Frame
from ml.staffing import erlang_b

RESOURCES = ("trunk", "ivr")
#: Shares of calls that find every line taken, for which lines are reckoned.
BLOCKING = (0.001, 0.005, 0.01, 0.02, 0.05)
USUAL = 0.01
_HALF_HOUR, _HOUR = 1800, 3600


@dataclass(frozen=True)
class Busy:
    """The busiest hour of a kind of line in the period.

    Attributes:
        day: ISO day, empty if there was no call.
        begins: its first half-hour.
        erlangs: mean lines in use in it.
        peak: most in use at once in the whole period.
        peak_at: when, as day and half-hour.
    """

    day: str = ""
    begins: str = ""
    erlangs: float = 0.0
    peak: int = 0
    peak_at: str = ""


def half_hours(frame: Frame) -> pd.DataFrame:
    """Lines by day and half-hour: `day`, `half_hour`, `resource`, `calls`, `recordings`, `busy_seconds`, `peak`."""
    rows = frame.source.rows_of("lines_half_hours", frame.view.period)
    return rows.assign(day=pd.to_datetime(rows["day"]))


def busy(rows: pd.DataFrame, resource: str) -> Busy:
    """The busy hour (two half-hours in a row) and the peak of `half_hours`' rows of one kind of line."""
    own = rows[rows["resource"] == resource]
    if own.empty:
        return Busy()
    seconds = own.assign(begins=own["day"] + pd.to_timedelta(own["half_hour"] + ":00"))[["begins", "busy_seconds"]]
    next_half = seconds.assign(begins=seconds["begins"] - pd.Timedelta(minutes=30))
    both = seconds.merge(next_half, on="begins", how="left", suffixes=("", "_next")).fillna(0)
    hours = (both["busy_seconds"] + both["busy_seconds_next"]).astype(float)
    start = pd.Timestamp(both["begins"].to_numpy()[hours.to_numpy().argmax()])
    most = own.iloc[int(own["peak"].to_numpy().argmax())]
    return Busy(
        day=f"{start:%Y-%m-%d}",
        begins=f"{start:%H:%M}",
        erlangs=float(hours.max()) / _HOUR,
        peak=int(most["peak"]),
        peak_at=f"{most['day']:%Y-%m-%d} {most['half_hour']}",
    )


def lines_needed(erlangs: float, blocking: float) -> int:
    """The fewest lines on which `erlangs` lose at most the share `blocking` of calls (Erlang B); 0 without traffic."""
    if erlangs <= 0:
        return 0
    lines = max(1, math.floor(erlangs))
    while erlang_b(erlangs, lines) > blocking:
        lines += 1
    return lines


def needed(frame: Frame, found: dict[str, Busy]) -> pd.DataFrame:
    """Lines for the busy hour by accepted loss: `blocking` (per cent), `trunks`, `ports`."""
    if not any(each.erlangs for each in found.values()):
        return pd.DataFrame(columns=["blocking", "trunks", "ports"])
    return pd.DataFrame(
        {
            "blocking": [100 * share for share in BLOCKING],
            "trunks": [lines_needed(found["trunk"].erlangs, share) for share in BLOCKING],
            "ports": [lines_needed(found["ivr"].erlangs, share) for share in BLOCKING],
        }
    )


def through_day(frame: Frame, rows: pd.DataFrame, resource: str) -> pd.DataFrame:
    """Lines of one kind by half-hour of the day: `half_hour`, `mean` in use on a mean day, `peak` of the period."""
    own = rows[rows["resource"] == resource]
    days = max(rows["day"].nunique(), 1)
    grouped = own.groupby("half_hour")
    return pd.DataFrame(
        {
            "half_hour": list(grouped.groups),
            "mean": (grouped["busy_seconds"].sum() / (days * _HALF_HOUR)).to_numpy(),
            "peak": grouped["peak"].max().to_numpy(),
        }
    )


def by_day(frame: Frame, rows: pd.DataFrame) -> pd.DataFrame:
    """Each day's peak by kind of line: `day`, `code`, `name`, `value`, `recordings`."""
    sums = rows.groupby(["day", "resource"]).agg(value=("peak", "max"), recordings=("recordings", "sum")).reset_index()
    return sums.rename(columns={"resource": "code"}).assign(
        name=[frame.texts(f"lines.{code}") for code in sums["resource"]]
    )


def recordings_kept(frame: Frame) -> pd.DataFrame:
    """What recordings take at each day's end: `day`, `name`, `rule`, `value` (gigabytes), `recordings`, `purged`."""
    rows = frame.source.rows_of("recordings", frame.view.period)
    return pd.DataFrame(
        {
            "day": pd.to_datetime(rows["day"]),
            "name": rows["rule"],
            "rule": rows["rule"],
            "value": rows["bytes_kept"].astype(float) / 1e9,
            "recordings": rows["recordings"].astype(int),
            "purged": rows["recordings_purged"].astype(int),
        }
    )


def trunks(frame: Frame) -> pd.DataFrame:
    """Each trunk: `name`, `line` (its code), `calls`, `recordings`, `busy_hours`, `peak`."""
    rows = frame.source.rows_of("lines_by_trunk", frame.view.period).rename(columns={"trunk": "name"})
    return rows.assign(
        line=rows["name"],
        name=rows["name"].replace("unknown", frame.texts("lines.unknown")),
        calls=rows["calls"].astype(int),
        recordings=rows["recordings"].astype(int),
        busy_hours=rows["busy_hours"].round(1),
    )
