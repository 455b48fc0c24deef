"""`crm forecast` and `crm staff`: from the models in use to published marts, and what-ifs over them."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from core.database import make_engine
from core.settings import Settings, get_settings
from ml import registry
from ml.capacity import tell_campaigns
from ml.features import build_scores
from ml.forecasting import staffing_plan
from ml.forecasting.volume import ALL_QUEUES, MODEL, series
from ml.lake import Artefact, rows_of, write
from ml.models import VolumeForecaster
from ml.parameters import parameters
from ml.scoring import registry_artefacts

Tell = Callable[[str], None]
_ERRORS = pa.schema(
    [("queue_key", pa.int64()), ("days_ahead", pa.string()), ("half_hours", pa.int64()), ("calls", pa.float64()),
     ("wape", pa.float64()), ("baseline_wape", pa.float64()), ("mase", pa.float64()), ("coverage_80", pa.float64()),
     ("version", pa.string()), ("as_of", pa.date32())]
)  # fmt: skip


def forecast(settings: Settings | None = None, *, publish: bool = True, tell: Tell = print) -> dict[str, Any]:
    """Forecast five weeks from the day after the last recorded call; staff it; publish both.

    What the roster leaves free of incoming calls is told to the campaigns: lists are built and worked within it.

    The method is the version in use; its levels are fitted anew to the newest days (a forecast from old levels would
    be stale), which repeats exactly.

    Raises:
        CrmError: nothing was built, no version is in use, or the history is too short.
    """
    settings = settings or get_settings()
    entry = registry.entry(settings, MODEL)
    tell("history")
    found, as_of = series(settings)
    given = parameters()["forecast"]
    frames = []
    for key, calls in found.items():
        tell(f"queue {key}")
        model = VolumeForecaster().fit(calls)
        horizon = f"{given['days']}D"
        table = model.predict(horizon, given["quantiles"])
        table.columns = [f"q{round(100 * level)}" for level in given["quantiles"]]
        table.insert(0, "expected", model.predict_mean(table.index).to_numpy())
        frames.append(table.reset_index(names="at").assign(queue_key=key))
    coming = pd.concat(frames, ignore_index=True)
    total = coming[coming["queue_key"] == ALL_QUEUES]
    tell("staffing")
    planned = _staffed(settings, total, as_of)
    errors = [row | {"version": entry.version, "as_of": as_of} for row in entry.metrics["errors"]]
    write(settings, [
        Artefact("forecast", "all", _forecast_table(coming[coming["queue_key"] != ALL_QUEUES], entry.version, as_of)),
        Artefact("staffing", "all", _staffing_table(planned, as_of)),
        Artefact("forecast_errors", "all", rows_of(errors, _ERRORS)),
        *registry_artefacts(settings, {}, [MODEL]),
    ])  # fmt: skip
    tell("outbound capacity")
    free = tell_campaigns(settings, planned)
    tell("marts")
    build_scores(settings)
    run_id = ""
    if publish:
        from warehouse.publish import publish as run

        tell("publish")
        run_id = run(settings).run_id
    return {
        "as_of": as_of.isoformat(),
        "first": total["at"].min().date().isoformat(),
        "last": total["at"].max().date().isoformat(),
        "calls": float(total["expected"].sum()),
        "agent_hours": float(planned["agents_needed"].sum() / 2),
        "gap_hours": float(planned["roster_gap"].sum() / 2),
        "outbound_calls": sum(each.calls for each in free),
        "run_id": run_id,
    }


def _staffed(settings: Settings, total: pd.DataFrame, as_of: date) -> pd.DataFrame:
    limits = staffing_plan.limits(settings)
    handle, patience = staffing_plan.measured(settings, as_of)
    level = f"q{round(100 * limits['quantile'])}"
    calls = pd.DataFrame({"at": total["at"], "calls_expected": total["expected"], "calls_staffed_for": total[level]})
    rostered = _rostered(settings, pd.DatetimeIndex(total["at"]), as_of, limits["shrinkage"])
    return staffing_plan.plan(calls.reset_index(drop=True), handle, patience, rostered, limits)


def _rostered(settings: Settings, at: pd.DatetimeIndex, as_of: date, shrinkage: float) -> np.ndarray:
    """Agents at work: from the shifts of days that have some, else as in the last four weeks."""
    usual = staffing_plan.usual_roster(settings, as_of)
    engine = make_engine(settings)
    planned = staffing_plan.planned_roster(engine, at[0].date(), at[-1].date(), shrinkage)
    engine.dispose()
    known = {day for day, _ in planned}
    half_hours = at.hour * 2 + at.minute // 30
    return np.array(
        [
            planned.get((moment.date(), int(half)), 0.0)
            if moment.date() in known
            else float(usual.get((moment.weekday(), int(half)), 0.0))
            for moment, half in zip(at, half_hours, strict=True)
        ]
    )


def _places(at: pd.Series) -> dict[str, pa.Array]:
    half_hour = at.dt.hour * 2 + at.dt.minute // 30
    return {"day": pa.array(at.dt.date, pa.date32()), "half_hour_key": pa.array(half_hour.to_numpy(np.int64))}


def _forecast_table(coming: pd.DataFrame, version: str, as_of: date) -> pa.Table:
    figures = {name: pa.array(coming[name].to_numpy(np.float64)) for name in ("expected", "q10", "q50", "q80", "q90")}
    return pa.table(
        {"queue_key": pa.array(coming["queue_key"].to_numpy(np.int64))}
        | _places(coming["at"])
        | figures
        | {
            "version": pa.repeat(pa.scalar(version), len(coming)),
            "as_of": pa.repeat(pa.scalar(as_of, pa.date32()), len(coming)),
        }
    )


def _staffing_table(planned: pd.DataFrame, as_of: date) -> pa.Table:
    whole = ("agents_needed", "positions_needed")
    figures: dict[str, pa.Array] = {}
    for name in planned.columns:
        if name != "at":
            kind = pa.int64() if name in whole else pa.float64()
            figures[name] = pa.array(planned[name], kind, from_pandas=True)
    return pa.table(
        _places(planned["at"]) | figures | {"as_of": pa.repeat(pa.scalar(as_of, pa.date32()), len(planned))}
    )


def staff(
    settings: Settings | None = None,
    *,
    volume: float = 1.0,
    handle: float = 1.0,
    target: float | None = None,
    shrinkage: float | None = None,
) -> list[dict[str, Any]]:
    """The published forecast staffed anew under a what-if, one row a day.

    Args:
        settings: of the installation.
        volume: calls against the forecast.
        handle: handle time against the measured one.
        target: share answered in time wanted.
        shrinkage: share of rostered time not worked.

    Raises:
        NotPublishedError: no forecast was published.
    """
    from ml.capacity import published_staffing

    settings = settings or get_settings()
    limits = staffing_plan.limits(settings)
    limits |= {"target_level": target or limits["target_level"]}
    limits |= {"shrinkage": limits["shrinkage"] if shrinkage is None else shrinkage}
    known = published_staffing(settings)
    calls = known[["at", "calls_expected", "calls_staffed_for"]].copy()
    calls[["calls_expected", "calls_staffed_for"]] *= volume
    patience = known["patience_seconds"].iloc[0]
    planned = staffing_plan.plan(
        calls,
        float(known["handle_seconds"].iloc[0]) * handle,
        None if pd.isna(patience) else float(patience),
        known["agents_rostered"].to_numpy(np.float64),
        limits,
    )
    grouped = planned.groupby(planned["at"].dt.date)
    return [
        {
            "day": day.isoformat(),
            "calls": float(part["calls_expected"].sum()),
            "most_agents": int(part["agents_needed"].max()),
            "most_positions": int(part["positions_needed"].max()),
            "agent_hours": float(part["agents_needed"].sum() / 2),
            "gap_hours": float(part["roster_gap"].sum() / 2),
        }
        for day, part in grouped
    ]
