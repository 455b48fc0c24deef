"""The rows behind a mark of a chart: a click picks it, and the newest rows that it counts stand below the chart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import altair as alt
import pandas as pd

from dashboards.crm import left_out
from dashboards.data import Value, date_key
from dashboards.frame import Frame
from dashboards.scope import SEE_AGENTS

Dataset = Literal[
    "contacts",
    "visits",
    "tickets",
    "seats",
    "journeys",
    "stays",
    "clocks",
    "backlog",
    "answers",
    "lines",
    "entries",
    "shifts",
    "forecast",
    "rejects",
    "recordings",
    "retention",
    "left_out",
    "offers",
    "key_changes",
    "customers",
    "segment_moves",
]
#: Tickets that are complaints of known customers, of whom alone it is known whether they complain again.
OF_KNOWN = {"is_complaint": "true", "is_known": "true"}
#: The chart's selection that a click makes; a double click or Escape ends it.
PICK = "behind"
ENDS = "dblclick, window:keydown[event.key === 'Escape']"
#: How each dataset may be narrowed; all of it are parameters of dashboards/queries/behind_<dataset>.sql.
FILTERS: dict[Dataset, tuple[str, ...]] = {
    "contacts": ("city", "channel", "outcome", "service_type", "half_hour", "weekday", "is_first"),
    "visits": ("city", "channel", "queue", "half_hour", "weekday", "agent", "ended"),
    "tickets": (
        "city",
        "channel",
        "service_type",
        "type",
        "township",
        "product",
        "state",
        "is_complaint",
        "exact",
        "others",
        "reached",
        "is_known",
        "parent",
    ),
    "seats": ("city", "half_hour", "centre", "seat"),
    "journeys": ("city", "channel", "next_channel", "through"),
    "stays": ("city", "state"),
    "clocks": ("city", "clock", "policy", "standing"),
    "backlog": ("city", "age"),
    "answers": ("city", "channel", "score", "unanswered"),
    "lines": ("resource", "half_hour", "line"),
    "shifts": ("city", "centre", "half_hour"),
    "entries": ("city", "campaign", "step", "assigned"),
    "forecast": ("queue", "half_hour", "history"),
    "rejects": ("city", "source", "kind", "reason", "dateless"),
    "recordings": ("rule",),
    "retention": ("city", "remedy"),
    "offers": ("city", "product"),
    "key_changes": ("city", "from_level", "to_level"),
    "customers": ("city", "key_level", "group"),
    "left_out": ("campaign", "gate"),
    "segment_moves": ("city", "from_segment", "to_segment"),
}
#: Rows that the marts keep no copy of: the CRM is asked for them.
OF_THE_CRM: frozenset[Dataset] = frozenset({"left_out"})
#: Columns of codes that are shown by name: the query of the names, or how the keys of their texts begin.
_NAMED = {
    "channel": "channels",
    "next_channel": "channels",
    "city": "units",
    "type": "complaint_types",
    "service_type": "service_types",
    "queue": "queues",
    "product": "products",
    "state": "states",
}
_SAID = {
    "outcome": "outcome",
    "exit_class": "exit",
    "priority": "priority",
    "standing": "clock",
    "level_name": "level",
    "customer_kind": "customer_kind",
}


@dataclass(frozen=True)
class Behind:
    """Which rows a chart's marks count.

    Attributes:
        dataset: what kind of rows.
        pick: columns of the chart's table that together name a mark; all are drawn by the chart.
        by: filter of the dataset → column of the table that holds its value for the mark (NULL: filters nothing).
            `day`, or `first` and `last` (dates) narrow the page's period.
        only: filters that hold for every mark.
        dataset_of: column of the chart's table that names the data set of each mark, instead of `dataset`; of `only`
            those filters hold that the data set has.
    """

    dataset: Dataset
    pick: tuple[str, ...]
    by: Mapping[str, str]
    only: Mapping[str, Value] = field(default_factory=dict)
    dataset_of: str | None = None


def pickable(chart: Any, behind: Behind) -> Any:
    """The chart with a selection that a click on a mark makes."""
    marks = chart.configure_mark(cursor="pointer") if chart.config is alt.Undefined else chart.copy()
    if marks.config is not alt.Undefined:
        marks.config.mark = alt.MarkConfig(cursor="pointer")
    return marks.add_params(alt.selection_point(name=PICK, fields=list(behind.pick), on="click", clear=ENDS))


def picked_row(table: pd.DataFrame, behind: Behind, points: list[Mapping[str, Any]]) -> pd.Series | None:
    """The row of the chart's table that was clicked; None: no mark, or one that is no longer there."""
    if not points:
        return None
    found = table
    for column in behind.pick:
        found = found[found[column].map(_plain) == _plain(points[-1].get(column), like=table[column])]
    return None if found.empty else found.iloc[0]


def _plain(value: object, like: pd.Series | None = None) -> object:
    """A value as browser and table agree on it: days as ISO text, names as text, numbers as floats."""
    if like is not None and pd.api.types.is_datetime64_any_dtype(like) and isinstance(value, int | float):
        # A chart's days are local midnights of the browser, told as milliseconds since the epoch.
        return (pd.Timestamp(value, unit="ms") + pd.Timedelta(hours=12)).date().isoformat()
    if isinstance(value, date):
        return pd.Timestamp(value).date().isoformat()
    return float(value) if isinstance(value, int | float) else value


def rows_behind(frame: Frame, behind: Behind, row: pd.Series) -> tuple[int, pd.DataFrame]:
    """How many rows the mark counts, and the newest 500 with their names in the page's language.

    Raises:
        CrmError: the rows are the CRM's, which refuses or does not answer.
    """
    dataset: Dataset = row[behind.dataset_of] if behind.dataset_of else behind.dataset
    period = frame.view.period
    days = {"first": period.first, "last": period.last}
    params: dict[str, Value] = dict.fromkeys(FILTERS[dataset])
    if "city" in params:
        params["city"] = frame.city
    params |= {name: value for name, value in behind.only.items() if name in params}
    for name, column in behind.by.items():
        value = row[column]
        if pd.isna(value):
            continue
        if name == "day":
            days = {"first": value, "last": value}
        elif name in days:
            days[name] = value
        elif name == "half_hour":
            params[name] = int(str(value)[:2]) * 2 + int(str(value)[3:5]) // 30
        else:
            params[name] = value.item() if hasattr(value, "item") else value
    if dataset in OF_THE_CRM:
        total, rows = left_out(frame.viewer, params["campaign"], params["gate"])
        return total, _shown(frame, rows)
    keys = {name: date_key(pd.Timestamp(day)) for name, day in days.items()}
    rows = frame.source.rows(f"behind_{dataset}", **keys, **params)
    total = int(rows["total"].iloc[0]) if len(rows) else 0
    return total, _shown(frame, rows.drop(columns="total"))


def _shown(frame: Frame, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as people read them: local times, names instead of codes, no more digits than mean anything."""
    # Figures of single agents are for those who may look at the telephone floor.
    table = rows.copy() if frame.may(SEE_AGENTS) else rows.drop(columns="agent", errors="ignore")
    for column in table.columns:
        if isinstance(table[column].dtype, pd.DatetimeTZDtype):
            table[column] = table[column].dt.tz_convert("Asia/Shanghai").dt.strftime("%Y-%m-%d %H:%M:%S")
        elif pd.api.types.is_float_dtype(table[column]):
            table[column] = table[column].round(1)
        elif pd.api.types.is_datetime64_any_dtype(table[column]):
            table[column] = table[column].dt.date
    for column, query in _NAMED.items():
        if column in table:
            table[column] = table[column].map(_names(frame, query)).fillna(table[column])
    for column, above in _SAID.items():
        if column in table:
            table[column] = table[column].map(lambda code, above=above: _said(frame, f"{above}.{code}", code))
    return table


def _said(frame: Frame, key: str, code: object) -> object:
    return frame.texts(key) if key in frame.texts else code


def _names(frame: Frame, query: str) -> dict[str, str]:
    names = frame.source.rows(query)
    code = "code" if "code" in names else "city_code"
    return dict(zip(names[code], frame.named(names), strict=True))
