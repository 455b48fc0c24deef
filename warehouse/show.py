"""Figures as a person reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from core.kpi import Kpi

DASH = "–"


def figure(value: float | int | None, kpi: Kpi) -> str:
    """A figure in its unit, rounded; a dash where there is none."""
    if value is None:
        return DASH
    if kpi.unit == "ratio":
        return f"{value * 100:.{max(kpi.decimals - 2, 0)}f} %"
    return f"{value:,.{kpi.decimals}f}"


def figures_table(
    groups: Sequence[Mapping[str, Any]], by: Sequence[str], kpis: Mapping[str, Kpi], language: str
) -> Table:
    """One line a KPI and one column a group: few groups are usual, KPIs are many."""
    table = Table(show_edge=False)
    table.add_column("KPI")
    for group in groups:
        table.add_column(
            " · ".join(str(group[name] if group[name] is not None else DASH) for name in by), justify="right"
        )
    codes = [name for name in (groups[0] if groups else {}) if name not in by]
    for code in codes:
        table.add_row(kpis[code].name(language), *(figure(group[code], kpis[code]) for group in groups))
    return table
