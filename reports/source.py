"""What a report asks of the published marts, through a reader opened with its recipient's scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files

import pandas as pd

from core.i18n import Language, name_field
from core.periods import Period, covers, runs_of
from core.scope import Scope
from core.time import to_local
from warehouse.kpi import kpi_table
from warehouse.publication import Publication
from warehouse.reader import Reader, open_reader


@lru_cache
def _query(name: str) -> str:
    return (files("reports") / "queries" / f"{name}.sql").read_text(encoding="utf-8")


def _key(day: date) -> int:
    return int(f"{day:%Y%m%d}")


@dataclass(frozen=True)
class Unfinished:
    """Of `tickets` work orders: those without a first response, those not resolved, and the late ones of these."""

    tickets: int
    unanswered: int
    unresolved: int
    late: int

    def share(self, count: int) -> float:
        """`count` as a share of the work orders; 0 without any."""
        return count / self.tickets if self.tickets else 0.0


@dataclass(frozen=True)
class Source:
    """One publication as one scope sees it, with names in one language."""

    publication: Publication
    scope: Scope
    language: Language

    @property
    def reader(self) -> Reader:
        """A reader of the publication within the scope."""
        return open_reader(self.publication, self.scope)

    def kpis(self, period: Period, only: Sequence[str], by: Sequence[str] = ()) -> pd.DataFrame:
        """One row a group of `by`, a column for each KPI of `only`."""
        return kpi_table(self.reader, period.first, period.last, by=by, kpis=only)

    def totals(self, period: Period, only: Sequence[str]) -> dict[str, float | None]:
        """Each KPI over the whole scope; None where there is none."""
        table = self.kpis(period, only)
        if table.empty:
            return dict.fromkeys(only)
        return {code: number(table.iloc[0][code]) for code in only}

    def complaints(self, period: Period) -> pd.DataFrame:
        """Complaints by type and city: `code`, `name`, `city_code`, `complaints`."""
        table = self.reader.rows(_query("complaints"), {"first": _key(period.first), "last": _key(period.last)})
        return table.assign(name=table[name_field(self.language)])

    def names(self, query: str) -> dict[str, str]:
        """Code → name of a dimension (channels, queues, units), in the catalogue's order."""
        table = self.reader.rows(_query(query))
        return dict(zip(table["code"], table[name_field(self.language)], strict=True))

    def cities(self) -> list[str]:
        """The codes of the cities, in the catalogue's order."""
        table = self.reader.rows(_query("units"))
        return list(table.loc[table["kind"] == "city", "code"])

    def covers(self, period: Period) -> bool:
        """Whether the figures hold every day of `period`."""
        days = (date.fromisoformat(str(key)) for key in self.reader.rows(_query("days"))["date_key"] if key)
        return covers(runs_of(days), period)

    def unfinished(self, period: Period) -> Unfinished:
        """The work orders created in the period whose clocks still run."""
        asked = {"first": _key(period.first), "last": _key(period.last), "through": self.publication.data_through}
        row = self.reader.rows(_query("unfinished"), asked).iloc[0]
        return Unfinished(*(int(row[name]) for name in ("tickets", "unanswered", "unresolved", "late")))

    def last_complete_day(self) -> date | None:
        """The last local day that the publication covers to its end; None: it holds no event.

        It is that of the latest event anywhere (a quiet city's last call may lie days back), unless the store was
        looked at on that very day.
        """
        through, looked_at = self.publication.data_through, self.publication.loaded_at
        if through is None:
            return None
        last = to_local(through).date()
        return last if looked_at is None else min(last, to_local(looked_at).date() - timedelta(days=1))


def number(value: object) -> float | None:
    """A figure of a data frame as a float; None for NULL."""
    return None if pd.isna(value) else float(value)  # type: ignore[call-overload, arg-type]  # a cell of any type
