"""The KPI dictionary as docs blocks of dbt; `python -m warehouse.kpi_docs` writes them, a test holds them equal."""

from pathlib import Path

from core.kpi import Kpi, dictionary

FILE = Path(__file__).resolve().parents[1] / "dbt" / "models" / "marts" / "kpi" / "kpis.md"


def _line(kpi: Kpi) -> str:
    return f"- **{kpi.code}** — {kpi.name_zh} / {kpi.name_en}: {kpi.formula_zh}；{kpi.formula_en}. `{kpi.sql}`"


def kpi_docs() -> str:
    """The docs block `kpis`: every KPI with its names, its formula in words and its expression."""
    lines = [_line(kpi) for kpi in dictionary().values()]
    return "\n".join(["{% docs kpis %}", "The KPI dictionary (core/kpi.yml):", "", *lines, "{% enddocs %}", ""])


if __name__ == "__main__":
    FILE.write_text(kpi_docs(), encoding="utf-8")
