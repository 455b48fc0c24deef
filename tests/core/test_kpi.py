"""The KPI dictionary: what it must hold, and the worked examples of its formulas."""

import re
from pathlib import Path

import duckdb
import pytest

from core.kpi import Kpi, dictionary

MEASURES = Path(__file__).parents[2] / "dbt" / "macros" / "measures.sql"
ASKED = {"agents_seen", "customers", "backlog", "contained_followed", "contained_reached"}
#: What `crm kpi --json` promises.
PROMISED = {
    *("contacts", "rejected", "offered", "answered", "abandoned", "short_abandoned", "ended_in_ivr", "blocked"),
    *("sl_handled_only", "sl_negative", "sl_positive", "sl_ignore", "asa_seconds", "mean_talk_seconds", "aht_seconds"),
    *("abandon_rate", "occupancy", "seat_utilisation", "agents_seen", "tickets", "complaints"),
}


def names_in(kpi: Kpi) -> set[str]:
    return set(re.findall(r"[a-z_]+", kpi.sql)) - {"nullif"}


def value(code: str, **sums: float) -> float | None:
    """The KPI's expression over the given sums; the others are 0."""
    kpi = dictionary()[code]
    with duckdb.connect() as connection:
        columns = ", ".join(f"{sums.get(name, 0)} as {name}" for name in sorted(names_in(kpi)))
        ((found,),) = connection.execute(f"select {kpi.sql} from (select {columns})").fetchall()
        return None if found is None else float(found)


def test_the_promised_figures_are_there() -> None:
    assert set(dictionary()) >= PROMISED


def test_the_worked_vector() -> None:
    """Waits of answered 20, 5, 3, 10, 15, 13; of abandoned 2, 14, 30; T = 10, no short abandons."""
    sums = {"offered": 9, "answered": 6, "abandoned": 3, "answered_within_target": 3, "abandoned_within_target": 1}
    found = [value(code, **sums) for code in ("sl_handled_only", "sl_negative", "sl_positive", "sl_ignore")]
    assert found == pytest.approx([0.5, 1 / 3, 4 / 9, 0.375])
    assert value("abandon_rate", **sums) == pytest.approx(1 / 3)


def test_short_abandons_stay_in_offered_and_out_of_the_abandon_rate() -> None:
    assert value("abandon_rate", offered=10, abandoned=3, short_abandoned=1) == pytest.approx(0.2)


@pytest.mark.parametrize("code", [kpi.code for kpi in dictionary().values() if kpi.unit != "count"])
def test_a_ratio_without_a_denominator_is_null(code: str) -> None:
    assert value(code) is None


def test_formulas_name_only_measures_that_the_marts_carry() -> None:
    carried = set(re.findall(r"^ {6}'(\w+)':", MEASURES.read_text(encoding="utf-8"), re.MULTILINE)) | ASKED
    assert {name for kpi in dictionary().values() for name in names_in(kpi)} <= carried


@pytest.mark.parametrize("kpi", dictionary().values(), ids=lambda kpi: kpi.code)
def test_a_definition_is_whole_in_both_languages(kpi: Kpi) -> None:
    assert re.search(r"[一-鿿]", kpi.name("zh-CN")) and re.search(r"[一-鿿]", kpi.formula("zh-CN"))
    assert kpi.name("en") and kpi.formula("en") and not re.search(r"[一-鿿]", kpi.name_en + kpi.formula_en)
    assert kpi.good in ("up", "down", "none") and kpi.decimals >= 0
