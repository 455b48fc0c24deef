"""Figures of the KPI dictionary per group, from published marts."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.errors import BadInputError
from core.kpi import Kpi, dictionary
from core.time import LOCAL
from warehouse.dimensions import (
    DATE,
    DIMENSIONS,
    NOT_OF_SEATS,
    UNANSWERED,
    Dimension,
    dimension,
    require_known,
    table_for,
)
from warehouse.reader import Reader

#: Sums over groups would count these twice, or they hang on later contacts: they are asked of the marts themselves.
ASKED = ("agents_seen", "customers", "backlog", "contained_followed", "contained_reached")
_FAR = date(9999, 1, 1)
_TIME = frozenset(("date_key", "half_hour_key"))
_PLACE = frozenset(("city_code", "branch_key"))
_WORD = re.compile(r"[a-z_]+")
_DAYS = """
select cast(date as varchar)
from dim_date
where date_key in (
  select min(date_key) from kpi_day where date_key <> 0
  union all
  select max(date_key) from kpi_day
)
order by date
"""


@lru_cache
def _template() -> Any:
    # Renders SQL from our own tables of names, not pages: nothing to escape.
    folder = FileSystemLoader(Path(__file__).with_name("queries"))
    return Environment(loader=folder, undefined=StrictUndefined, autoescape=False).get_template(  # noqa: S701 - SQL, not HTML
        "kpi_table.sql"
    )


def _chosen(codes: Sequence[str] | None) -> list[Kpi]:
    known = dictionary()
    if codes is None:
        return list(known.values())
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise BadInputError(f"There is no KPI {unknown[0]!r}.", f"Known: {', '.join(known)}.")
    return [known[code] for code in codes]


def _days(dimension: Dimension, codes: Sequence[str]) -> list[date]:
    try:
        return [date.fromisoformat(code) for code in codes]
    except ValueError as error:
        raise BadInputError(
            f"The filter {dimension.name} is {', '.join(codes)}.",
            "Write days as 2026-03-02 (the first of a week or month).",
        ) from error


def _key(day: date) -> int:
    return day.year * 10000 + day.month * 100 + day.day


@dataclass
class _Query:
    """What one call asks, resolved to our own names and to parameters."""

    period_from: date | None
    period_to: date | None
    by: list[Dimension]
    filters: list[tuple[Dimension, list[str]]]
    kpis: list[Kpi]
    typed: list[str]

    @property
    def columns(self) -> set[str]:
        used = {each.column for each in self.by} | {each.column for each, _ in self.filters}
        return used | ({"date_key"} if self.period_from or self.period_to else set())

    @property
    def asked(self) -> list[str]:
        words = {word for kpi in self.kpis for word in _WORD.findall(kpi.sql)}
        return [name for name in ASKED if name in words and self._answers(name)]

    def _answers(self, name: str) -> bool:
        """Stocks are counted at the period's end: grouped by time, by agent or by queue they mean nothing."""
        if name not in ("customers", "backlog"):
            return True
        used = {each.column for each in self.by}
        used |= {each.column for each, _ in self.filters if each.column in ("agent_key", "queue_key")}
        return not used & (_TIME | {"agent_key"} | ({"queue_key"} if name == "backlog" else set()))

    def measures(self) -> list[str]:
        """The additive measures that the KPIs' expressions name."""
        words = {word for kpi in self.kpis for word in _WORD.findall(kpi.sql)}
        return sorted(words - set(ASKED) - {"nullif"})

    def parameters(self, data_through: datetime | None) -> dict[str, Any]:
        values: dict[str, Any] = {
            f"filter_{index}": _days(each, codes) if each.join == DATE else codes
            for index, (each, codes) in enumerate(self.filters)
        }
        if self.period_from:
            values["first_key"] = _key(self.period_from)
        if self.period_to:
            values["last_key"] = _key(self.period_to)
        if {"contained_followed", "contained_reached"} & set(self.asked):
            values["data_through"] = data_through
        if "customers" in self.asked or "backlog" in self.asked:
            values["period_to"] = self.period_to
        if "backlog" in self.asked:
            end = datetime.combine(min(self.period_to or _FAR, _FAR) + timedelta(days=1), time(), LOCAL)
            values["backlog_at"] = end.astimezone(UTC)
        return values

    def conditions(self, columns: frozenset[str] | None = None) -> list[str]:
        found = [
            f"{each.sql} in (select unnest($filter_{index}))"
            for index, (each, _) in enumerate(self.filters)
            if columns is None or each.column in columns
        ]
        if columns is None and self.period_from:
            found.append("fact.date_key >= $first_key")
        if columns is None and self.period_to:
            found.append("fact.date_key <= $last_key")
        return found

    def joins(self, columns: frozenset[str] | None = None) -> list[str]:
        used = [*self.by, *(each for each, _ in self.filters)]
        return list(
            dict.fromkeys(each.join for each in used if each.join and (columns is None or each.column in columns))
        )

    def sql(self, columns_of: Callable[[str], frozenset[str]]) -> str:
        """The query; `columns_of` tells what a table carries. A figure that it cannot give there is NULL."""
        table = table_for(self.columns, self.typed)
        missing = (set(ASKED) - set(self.asked)) | (set(self.measures()) - columns_of(table))
        missing |= {name for column in self.columns for name in UNANSWERED.get(column, ())}
        not_time = frozenset(each.column for each in DIMENSIONS.values()) - _TIME
        text: str = _template().render(
            table=table,
            dimensions=self.by,
            joins=self.joins(),
            measures=[name for name in self.measures() if name not in missing],
            kpis=[{"code": each.code, "unit": each.unit, "sql": _without(each.sql, missing)} for each in self.kpis],
            conditions=self.conditions(),
            timeless_conditions=self.conditions(not_time),
            asked=self.asked,
            without_seat_time=bool(self.columns & NOT_OF_SEATS),
            place_dimensions=[each for each in self.by if each.column in _PLACE],
            place_joins=self.joins(_PLACE),
            place_conditions=self.conditions(_PLACE),
        )
        return text


def _without(sql: str, names: set[str]) -> str:
    """The expression with NULL for figures that this grouping cannot answer."""
    return _WORD.sub(lambda word: "null" if word.group() in names else word.group(), sql)


def kpi_table(
    reader: Reader,
    period_from: date | None,
    period_to: date | None,
    by: Sequence[str] = (),
    filters: Mapping[str, Sequence[str]] | None = None,
    *,
    kpis: Sequence[str] | None = None,
) -> pd.DataFrame:
    """One row a group: columns `by` (as typed), then KPI codes; a ratio whose denominator is 0 is NULL.

    A figure that the grouping or a filter cannot answer (tickets by queue) is NULL too. No row at all for a period
    wholly before or after the data (`days_held`).

    Args:
        reader: of the publication, within the asker's scope.
        period_from: first local day, or None: from the beginning.
        period_to: last local day, included, or None: to the end.
        by: dimensions (DIMENSIONS, ALIASES); groups without any row do not appear. Values are codes, days
            datetimes, half-hours labels such as 08:30.
        filters: dimension -> codes that it must be one of.
        kpis: only these KPIs; all of the dictionary by default.

    Raises:
        BadInputError: an unknown dimension, code or KPI, or dimensions that no table carries together.
    """
    if period_from and period_to and period_from > period_to:
        raise BadInputError(
            f"The period begins on {period_from} and ends on {period_to}, before it.", "Exchange the two days."
        )
    # Two names of one dimension are one column, under the name typed first.
    typed = {dimension(name).name: name for name in reversed(by)}
    query = _Query(
        period_from=period_from,
        period_to=period_to,
        by=list(dict.fromkeys(dimension(name) for name in by)),
        filters=[(dimension(name), list(codes)) for name, codes in (filters or {}).items()],
        kpis=_chosen(kpis),
        typed=[*by, *(filters or {}), *(["a period"] if period_from or period_to else [])],
    )
    text = query.sql(reader.columns)
    for name, codes in (filters or {}).items():
        require_known(reader, name, codes)
    table = reader.rows(text, query.parameters(reader.publication.data_through)).rename(columns=typed)
    return table if _touches(days_held(reader), period_from, period_to) else table.iloc[0:0]


def days_held(reader: Reader) -> tuple[date, date] | None:
    """The first and last local day of which there are figures; None: there are none."""
    held = reader.texts(_DAYS)
    return (date.fromisoformat(held[0]), date.fromisoformat(held[-1])) if held else None


def _touches(held: tuple[date, date] | None, first: date | None, last: date | None) -> bool:
    """Whether a period holds a day of the data: zeros of days before or after them would be made up."""
    if first is None and last is None:
        return True
    return held is not None and not ((first and first > held[1]) or (last and last < held[0]))
