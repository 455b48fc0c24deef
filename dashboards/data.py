"""What pages ask of the published marts: through a reader opened with the viewer's scope, remembered per publication.

Every answer is remembered under (run id, file, scope, question), so that a new publication is never mixed with an
old one and an unchanged one is asked once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import ParamSpec, TypeVar, cast

import pandas as pd
import streamlit as st

from core.periods import Period, runs_of
from core.scope import Scope
from dashboards.periods import last_complete_day
from dashboards.url_state import Known
from warehouse.kpi import kpi_table
from warehouse.publication import Publication, current
from warehouse.reader import Reader, open_reader

P = ParamSpec("P")
R = TypeVar("R")
Key = tuple[str, str, str | None]
Value = int | str | None
#: Answers kept at once; each is a few kilobytes.
REMEMBERED = 2000


def _remembered(function: Callable[P, R]) -> Callable[P, R]:
    return cast("Callable[P, R]", st.cache_data(show_spinner=False, max_entries=REMEMBERED)(function))


@dataclass(frozen=True)
class Source:
    """One publication as one scope sees it; ask it questions."""

    publication: Publication
    scope: Scope
    #: Members that every KPI is limited to, as (dimension, code).
    only: tuple[tuple[str, str], ...] = ()

    def narrowed(self, **members: str | None) -> "Source":
        """The same with its KPIs limited to members of dimensions; None limits nothing."""
        return replace(self, only=self.only + tuple((name, code) for name, code in members.items() if code))

    @property
    def key(self) -> Key:
        """What an answer is remembered under."""
        return self.publication.run_id, str(self.publication.file), self.scope.city_code

    def reader(self) -> Reader:
        """A reader of this publication, opened with this scope."""
        return open_reader(self.publication, self.scope)

    def rows(self, query: str, **params: Value) -> pd.DataFrame:
        """The rows of dashboards/queries/<query>.sql."""
        return _rows(self.key, self, query, tuple(sorted(params.items())))

    def rows_of(self, query: str, period: Period, **params: Value) -> pd.DataFrame:
        """The rows of a query over the days of `period`."""
        return self.rows(query, first=date_key(period.first), last=date_key(period.last), **params)

    def kpis(
        self, period: Period, by: Sequence[str] = (), *, only: Sequence[str], city: str | None = None
    ) -> pd.DataFrame:
        """One row a group of the dimensions `by`, a column for each KPI of `only`; rows without a day are left out."""
        limits = self.only + ((("city", city),) if city else ())
        table = _kpis(self.key, self, period, tuple(by), tuple(only), limits)
        return table[table["day"].notna()] if "day" in by else table


def current_source(scope: Scope) -> Source:
    """What is published now; NotPublishedError if nothing is."""
    return Source(current(), scope)


def date_key(day: object) -> int:
    """A day as the marts' key: yyyymmdd."""
    return int(f"{day:%Y%m%d}")


@lru_cache
def query_text(name: str) -> str:
    """The text of dashboards/queries/<name>.sql."""
    return (files("dashboards") / "queries" / f"{name}.sql").read_text(encoding="utf-8")


@_remembered
def _rows(key: Key, _source: Source, query: str, params: tuple[tuple[str, Value], ...]) -> pd.DataFrame:
    return _source.reader().rows(query_text(query), dict(params))


@_remembered
def _kpis(
    key: Key,
    _source: Source,
    period: Period,
    by: tuple[str, ...],
    only: tuple[str, ...],
    limits: tuple[tuple[str, str], ...],
) -> pd.DataFrame:
    filters: Mapping[str, Sequence[str]] = {name: [code] for name, code in limits}
    return kpi_table(_source.reader(), period.first, period.last, by=by, filters=filters, kpis=only)


def known(source: Source) -> Known | None:
    """Days and cities of the publication; None while it holds no figures."""
    days = [pd.Timestamp(day).date() for day in source.rows("days")["day"]]
    if not days:
        return None
    held = Period(days[0], days[-1])
    units = source.rows("units")
    seen = (units["kind"] == "city") & (source.scope.is_province | (units["city_code"] == source.scope.city_code))
    anchor = last_complete_day(held, source.publication.loaded_at)
    return Known(held, anchor, tuple(units.loc[seen, "city_code"]), runs_of(days))
