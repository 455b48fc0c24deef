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
from warehouse.reader import Reader

#: Sums over groups would count these twice, so they are asked of the marts themselves.
ASKED = ("agents_seen", "customers", "backlog")


@dataclass(frozen=True)
class Dimension:
    """A way to group or filter: SQL over the row `fact`, the joins it needs, the columns the table must have."""

    name: str
    sql: str
    column: str
    join: str = ""


_DATE = "inner join dim_date as calendar on fact.date_key = calendar.date_key"

#: What `by` and `filters` may name.
DIMENSIONS: Mapping[str, Dimension] = {
    each.name: each
    for each in (
        Dimension("day", "calendar.date", "date_key", _DATE),
        Dimension("week", "calendar.week_start", "date_key", _DATE),
        Dimension("month", "calendar.month_start", "date_key", _DATE),
        Dimension(
            "half_hour",
            "half_hours.label",
            "half_hour_key",
            "inner join dim_half_hour as half_hours on fact.half_hour_key = half_hours.half_hour_key",
        ),
        Dimension(
            "branch",
            "branches.code",
            "branch_key",
            "inner join dim_branch as branches on fact.branch_key = branches.branch_key",
        ),
        Dimension("city", "fact.city_code", "city_code"),
        Dimension("channel", "fact.channel_code", "channel_code"),
        Dimension(
            "queue", "queues.code", "queue_key", "inner join dim_queue as queues on fact.queue_key = queues.queue_key"
        ),
        Dimension("service_type", "fact.service_type_code", "service_type_code"),
        Dimension("product", "fact.product_code", "product_code"),
        Dimension(
            "agent", "agents.code", "agent_key", "inner join dim_agent as agents on fact.agent_key = agents.agent_key"
        ),
        Dimension("source", "fact.source", "source"),
    )
}
ALIASES = {"type": "service_type"}

#: kpi tables, smallest first, with the columns they can be grouped by.
TABLES: Mapping[str, frozenset[str]] = {
    "kpi_day": frozenset(
        ("date_key", "branch_key", "city_code", "channel_code", "queue_key", "service_type_code", "source")
    ),
    "kpi_half_hour": frozenset(
        ("date_key", "half_hour_key", "city_code", "channel_code", "queue_key", "service_type_code", "source")
    ),
    "kpi_product_day": frozenset(
        ("date_key", "city_code", "channel_code", "service_type_code", "product_code", "source")
    ),
    "kpi_agent_day": frozenset(("date_key", "city_code", "agent_key", "channel_code", "source")),
}
#: Seats' time knows no channel, queue, type or product: grouped by one of these it would stand under "unknown".
_NOT_OF_SEATS = frozenset(("channel_code", "queue_key", "service_type_code", "product_code"))
_FAR = date(9999, 1, 1)
_TIME = frozenset(("date_key", "half_hour_key"))
_PLACE = frozenset(("city_code", "branch_key"))
_WORD = re.compile(r"[a-z_]+")


@lru_cache
def _template() -> Any:
    # Renders SQL from our own tables of names, not pages: nothing to escape.
    folder = FileSystemLoader(Path(__file__).with_name("queries"))
    return Environment(loader=folder, undefined=StrictUndefined, autoescape=False).get_template(  # noqa: S701
        "kpi_table.sql"
    )


def dimension(name: str) -> Dimension:
    """The dimension of a name that a person typed; BadInputError if there is none."""
    known = DIMENSIONS.get(ALIASES.get(name, name))
    if known is None:
        raise BadInputError(f"There is no dimension {name!r}.", f"Known: {', '.join([*DIMENSIONS, *ALIASES])}.")
    return known


def _table_for(columns: set[str]) -> str:
    for name, carried in TABLES.items():
        if columns <= carried:
            return name
    raise BadInputError(
        f"No table of figures carries {', '.join(sorted(columns))} together.",
        "half_hour goes with city, not branch; product with city, channel, type; agent with city and channel.",
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
        if name == "agents_seen":
            return True
        used = {each.column for each in self.by}
        used |= {each.column for each, _ in self.filters if each.column in ("agent_key", "queue_key")}
        return not used & (_TIME | {"agent_key"} | ({"queue_key"} if name == "backlog" else set()))

    def measures(self) -> list[str]:
        """The additive measures that the KPIs' expressions name."""
        words = {word for kpi in self.kpis for word in _WORD.findall(kpi.sql)}
        return sorted(words - set(ASKED) - {"nullif"})

    def parameters(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            f"filter_{index}": _days(each, codes) if each.join == _DATE else codes
            for index, (each, codes) in enumerate(self.filters)
        }
        if self.period_from:
            values["first_key"] = _key(self.period_from)
        if self.period_to:
            values["last_key"] = _key(self.period_to)
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
        table = _table_for(self.columns)
        carried = columns_of(table)
        missing = (set(ASKED) - set(self.asked)) | (set(self.measures()) - carried)
        not_time = frozenset(each.column for each in DIMENSIONS.values()) - _TIME
        text: str = _template().render(
            table=table,
            dimensions=self.by,
            dimension_joins=self.joins(),
            measures=[name for name in self.measures() if name in carried],
            kpis=[{"code": each.code, "unit": each.unit, "sql": _without(each.sql, missing)} for each in self.kpis],
            conditions=self.conditions(),
            timeless_conditions=self.conditions(not_time),
            asked=self.asked,
            without_seat_time=bool(self.columns & _NOT_OF_SEATS),
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

    Args:
        reader: of the publication, within the asker's scope.
        period_from: first local day, or None: from the beginning.
        period_to: last local day, included, or None: to the end.
        by: dimensions (DIMENSIONS, ALIASES); groups without any row do not appear. Values are codes, days
            datetimes, half-hours labels such as 08:30.
        filters: dimension -> codes that it must be one of.
        kpis: only these KPIs; all of the dictionary by default.

    Raises:
        BadInputError: an unknown dimension or KPI, or dimensions that no table carries together.
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
    )
    table = reader.rows(query.sql(reader.columns), query.parameters())
    return table.rename(columns=typed)
