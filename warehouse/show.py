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


#: Shown where there are too many groups for a column each and no KPIs were named.
HEADLINES = frozenset(
    ("contacts", "offered", "answered", "abandon_rate", "sl_negative", "asa_seconds", "aht_seconds", "seat_utilisation")
) | {"tickets", "complaints"}
#: More groups than this stand in lines, not columns.
MOST_COLUMNS = 8


def figures_table(
    groups: Sequence[Mapping[str, Any]],
    by: Sequence[str],
    kpis: Mapping[str, Kpi],
    language: str,
    *,
    all_kpis: bool = False,
) -> Table:
    """A line a KPI and a column a group; with many groups a line a group and a column a headline figure.

    Args:
        groups: figures by KPI code, with the values of `by`.
        by: dimensions, as typed.
        kpis: the dictionary.
        language: zh-CN or en.
        all_kpis: with many groups, show every KPI that the groups hold (they were asked for by name).
    """
    codes = [name for name in (groups[0] if groups else {}) if name not in by]
    if len(groups) <= MOST_COLUMNS:
        table = Table("KPI", show_edge=False)
        for group in groups:
            table.add_column(" · ".join(_label(group, by)), justify="right")
        for code in codes:
            table.add_row(kpis[code].name(language), *(figure(group[code], kpis[code]) for group in groups))
        return table
    codes = codes if all_kpis else [code for code in codes if code in HEADLINES]
    table = Table(*by, show_edge=False)
    for code in codes:
        table.add_column(kpis[code].name(language), justify="right")
    for group in groups:
        table.add_row(*_label(group, by), *(figure(group[code], kpis[code]) for code in codes))
    return table


def _label(group: Mapping[str, Any], by: Sequence[str]) -> list[str]:
    return [DASH if group[name] is None else str(group[name]) for name in by]
