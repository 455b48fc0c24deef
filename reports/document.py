"""What a report says, apart from how it looks: headlines, sentences, tables and what is drawn of them."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from core.display import Change, Figure
from core.i18n import Language
from reports.periods import ReportPeriod

Cell = float | str | date | None


@dataclass(frozen=True)
class Column:
    """A column of a table; one with a `figure` holds numbers in that figure's unit."""

    name: str
    figure: Figure | None = None
    is_share: bool = False


@dataclass(frozen=True)
class Chart:
    """What is drawn of a table: `series` columns over the `category` column."""

    kind: Literal["line", "bar"]
    category: int
    series: tuple[int, ...]
    target: float | None = None


@dataclass(frozen=True)
class Section:
    """A heading with its table, drawings and sentences; `code` names it in every form.

    `row_figures`: where each row is another KPI, the unit of its numbers.
    """

    code: str
    title: str
    note: str = ""
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    charts: tuple[Chart, ...] = ()
    sentences: tuple[str, ...] = ()
    empty: str = ""
    row_figures: tuple[Figure, ...] = ()

    def figure_of(self, row: int, column: int) -> Figure | None:
        """The unit of a cell's number; None: it is a text or a day."""
        return self.row_figures[row] if self.row_figures and column else self.columns[column].figure


@dataclass(frozen=True)
class Headline:
    """A KPI of the period beside its target, the period before and the year before.

    `note` says why a figure is not judged (`meets` is None though it has a target).
    """

    code: str
    name: str
    formula: str
    figure: Figure
    value: float | None
    before: float | None
    year_before: float | None
    change: Change
    year_change: Change
    meets: bool | None
    course: tuple[float | None, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Document:
    """One report in one language for one scope."""

    period: ReportPeriod
    language: Language
    city_code: str | None
    scope_name: str
    title: str
    summary: tuple[str, ...]
    headlines: tuple[Headline, ...]
    sections: tuple[Section, ...]
    run_id: str
    data_through: datetime | None
    written_at: datetime
    quality: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """A file name without its ending: daily_2026-03-02_province_zh-CN."""
        return f"{self.period.kind}_{self.period.key}_{self.city_code or 'province'}_{self.language}"
