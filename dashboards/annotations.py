"""What people wrote about days (shown on the timelines), and the views that they keep: both live in the CRM."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from core.errors import CrmError
from core.periods import Period
from dashboards.crm import ask
from dashboards.frame import Frame
from dashboards.scope import Viewer
from dashboards.tables import starts

#: Seconds that what the CRM said is believed.
BELIEVED = 30
_NOTES, _VIEWS = "/api/v1/annotations", "/api/v1/saved-views"
#: Of the answers: each change makes another one, so that every page of this server asks anew.
_latest = {"version": 0}
#: A flag of a note that spans days stands at its first day.
COLUMNS = ["id", "unit", "first_day", "last_day", "text", "created_by"]


@dataclass(frozen=True)
class _Asked:
    """A question to the CRM in a viewer's name; what changes it makes `version` another one."""

    viewer: Viewer
    path: str
    version: int

    @property
    def key(self) -> tuple[str, str, int]:
        """What the answer is remembered under."""
        return self.viewer.username, self.path, self.version


def _answer(key: tuple[str, str, int], _asked: _Asked) -> list[dict[str, Any]] | None:
    try:
        rows: list[dict[str, Any]] = ask(_asked.viewer, "GET", _asked.path)
    except CrmError:
        return None
    return rows


_remembered = st.cache_data(ttl=BELIEVED, max_entries=500, show_spinner=False)(_answer)


def _rows(viewer: Viewer, path: str) -> list[dict[str, Any]] | None:
    """What the CRM lists for the viewer; None: it does not answer. Nobody signed in: nothing."""
    if not viewer.username:
        return []
    asked = _Asked(viewer, path, _latest["version"])
    found: list[dict[str, Any]] | None = _remembered(asked.key, asked)
    return found


def change(viewer: Viewer, method: str, path: str, body: Mapping[str, Any] | None = None) -> str | None:
    """Ask the CRM to change something; what it said against it, or None."""
    try:
        ask(viewer, method, path, body)
    except CrmError as error:
        return str(error)
    _latest["version"] += 1
    return None


def annotations(frame: Frame) -> pd.DataFrame | None:
    """The notes on the page's days and place: COLUMNS with days as dates; None: the CRM does not answer."""
    period, city = frame.view.period, frame.city
    query = {"first": period.first.isoformat(), "last": period.last.isoformat()} | ({"unit": city} if city else {})
    rows = _rows(frame.viewer, f"{_NOTES}?{urlencode(query)}")
    if rows is None:
        return None
    table = pd.DataFrame(rows, columns=COLUMNS)
    for column in ("first_day", "last_day"):
        table[column] = [date.fromisoformat(day) for day in table[column]]
    return table


def notes_on(frame: Frame) -> pd.DataFrame:
    """The notes as flags of a timeline: `day` (the first within the period), `start` (its bar), `text`."""
    table = annotations(frame)
    if table is None or table.empty:
        return pd.DataFrame({"day": pd.Series(dtype="datetime64[us]"), "start": [], "text": []})
    first = [max(day, frame.view.period.first) for day in table["first_day"]]
    days = pd.Series(pd.to_datetime(first))
    return pd.DataFrame({"day": days, "start": starts(frame.view.period, days), "text": list(table["text"])})


def annotate(frame: Frame, *, unit: str, days: Period, text: str) -> str | None:
    """Write a note; what the CRM said against it, or None."""
    body = {"unit": unit, "first_day": days.first.isoformat(), "last_day": days.last.isoformat(), "text": text}
    return change(frame.viewer, "POST", _NOTES, body)


def remove(frame: Frame, note: int) -> str | None:
    """Show a note no longer; what the CRM said against it, or None."""
    return change(frame.viewer, "DELETE", f"{_NOTES}/{note}")


def saved_views(frame: Frame) -> list[dict[str, Any]] | None:
    """The viewer's views: `id`, `name`, `page`, `params`; None: the CRM does not answer."""
    return _rows(frame.viewer, _VIEWS)


def save_view(frame: Frame, *, name: str, page: str, params: Mapping[str, str]) -> str | None:
    """Keep the page as it is shown; what the CRM said against it, or None."""
    return change(frame.viewer, "POST", _VIEWS, {"name": name, "page": page, "params": dict(params)})


def forget_view(frame: Frame, view: int) -> str | None:
    """Keep it no longer; what the CRM said against it, or None."""
    return change(frame.viewer, "DELETE", f"{_VIEWS}/{view}")
