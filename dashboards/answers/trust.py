"""What the data-quality page asks: freshness, rows along the way, gates, restatements, residuals, refused rows."""

import pandas as pd

from core.display import instant_text
from core.kpi import dictionary
from core.settings import get_settings
from core.time import utc_now
from dashboards.frame import Frame
from warehouse.gate_history import history

#: Runs of the gates that are listed, and restated figures.
MOST_RUNS, MOST_RESTATED = 50, 200

#: Table that is reconciled → the rows behind its marks (dashboards.behind).
ROWS_OF = {
    "contacts": "contacts",
    "queue_visits": "visits",
    "tickets": "tickets",
    "survey_answers": "answers",
    "import_rejects": "rejects",
}


def freshness(frame: Frame) -> pd.DataFrame:
    """Each table of events: `table`, `rows`, `latest_event`, `hours_behind` the load, `is_ahead` (a clock is wrong)."""
    rows = frame.source.rows("freshness")
    behind = (rows["loaded_at"] - rows["latest_event_at"]).dt.total_seconds() / 3600
    return pd.DataFrame(
        {
            "table": table_names(frame, rows["table"]),
            "rows": rows["rows_found"],
            "latest_event": rows["latest_event_at"].map(_instant),
            "hours_behind": behind.round(1),
            "is_ahead": rows["is_ahead"],
        }
    )


def table_names(frame: Frame, tables: pd.Series) -> list[str]:
    """The tables under the names that people use; a table without one under its own."""
    text = frame.texts
    return [text(f"table.{table}") if f"table.{table}" in text else str(table) for table in tables]


def _instant(value: pd.Timestamp | None) -> str:
    return "–" if value is None or pd.isna(value) else instant_text(value.to_pydatetime())


def along_the_way(frame: Frame) -> pd.DataFrame:
    """Rows of the period: `table`, `staging_rows`, `mart_rows`, `figure_rows`, `days`, `days_differing`, `rows_key`."""
    rows = frame.source.rows_of("reconciled", frame.view.period)
    names = ["staging_rows", "mart_rows", "figure_rows", "days", "days_differing"]
    named = rows.assign(table=table_names(frame, rows["table"]), rows_key=rows["table"].map(ROWS_OF))
    return named[["table", *names, "rows_key"]].astype(dict.fromkeys(names, int))


def rows_by_day(frame: Frame) -> pd.DataFrame:
    """Rows in marts by day: `day`, `name` (table), `value`, `staging_rows`, `figure_rows`, `rows_key` (see ROWS_OF)."""
    rows = frame.source.rows_of("reconciled_days", frame.view.period)
    named = rows.assign(
        day=pd.to_datetime(rows["day"]), table=table_names(frame, rows["table"]), rows_key=rows["table"].map(ROWS_OF)
    )
    return named.rename(columns={"table": "name", "mart_rows": "value"})


def loads(frame: Frame) -> pd.DataFrame:
    """Each table: `table`, `store_rows`, `lake_rows`, `loads`, `completed`."""
    rows = frame.source.rows("loads")
    return pd.DataFrame(
        {
            "table": table_names(frame, rows["table"]),
            "store_rows": rows["store_rows"],
            "lake_rows": rows["lake_rows"],
            "loads": rows["loads"],
            "completed": rows["completed_at"].map(_instant),
        }
    )


def gate_runs(frame: Frame) -> pd.DataFrame:
    """Runs of the gates, newest first: when, which, verdict, how many checked and failed, what failed, who released."""
    runs = history(get_settings(), MOST_RUNS)
    text = frame.texts
    return pd.DataFrame(
        {
            "at": [instant_text(run.when) for run in runs],
            "stage": [text(f"trust.stage_{run.stage}") for run in runs],
            "verdict": [text(f"trust.{run.verdict}") for run in runs],
            "checked": [run.checked for run in runs],
            "failed": [len(run.failed) for run in runs],
            "set_aside": [run.set_aside for run in runs],
            "what_failed": ["; ".join(_failed(found) for found in run.failed[:3]) for run in runs],
            "released_by": [" · ".join(filter(None, (run.released_by, run.reason))) for run in runs],
            "publication": [run.publication for run in runs],
        }
    )


def _failed(found: object) -> str:
    entry = dict(found) if isinstance(found, dict) else {}
    return " ".join(str(entry[name]) for name in ("frame", "expectation", "columns") if entry.get(name))


def gates(frame: Frame) -> tuple[int, int]:
    """Of the publication that is shown: expectations that held, and all."""
    found = frame.source.publication.gates
    return sum(bool(gate.get("holds", True)) for gate in found), len(found)


def restated(frame: Frame) -> pd.DataFrame:
    """Figures of finished days that a build changed: `day`, `city`, `measure`, `was`, `is`, `difference`, `since`."""
    rows = frame.source.rows_of("restatements", frame.view.period, city=frame.city).head(MOST_RESTATED)
    cities = frame.unit_names()
    return pd.DataFrame(
        {
            "day": pd.to_datetime(rows["day"]).dt.strftime("%Y-%m-%d"),
            "city": [cities.get(code, code) for code in rows["city_code"]],
            "measure_name": [frame.kpi_name(code) if code in dictionary() else code for code in rows["measure"]],
            "was": rows["value_before"],
            "is_now": rows["value_after"],
            "difference": rows["difference"],
            "build": rows["build"],
            "since_publication": rows["since_publication"],
        }
    )


def residuals(frame: Frame) -> pd.DataFrame:
    """By day, live picture against the PBX's log: the columns of the query, `day` as text."""
    rows = frame.source.rows_of("residuals", frame.view.period)
    return rows.assign(day=pd.to_datetime(rows["day"]).dt.strftime("%Y-%m-%d"))


def refused(frame: Frame) -> pd.DataFrame:
    """Rows that imports refused: `source`, `kind`, `reason`, `rows_refused`."""
    return frame.source.rows_of("rejected", frame.view.period, city=frame.city)


def hours_since_load(frame: Frame) -> float | None:
    """Hours since the newest load looked at the store; None if nobody knows."""
    loaded = frame.source.publication.loaded_at
    return None if loaded is None else (utc_now() - loaded).total_seconds() / 3600
