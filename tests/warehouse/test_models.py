"""dbt's own worked examples hold, and its docs tell the dictionary's definitions."""

import re
from pathlib import Path
from typing import Any

from core.settings import Settings
from warehouse import dbt_run
from warehouse.dbt_run import run_dbt
from warehouse.kpi_docs import FILE, kpi_docs
from warehouse.publication import Publication


def test_the_models_worked_examples_hold(published_centre: tuple[Settings, Publication]) -> None:
    results, exception = run_dbt(published_centre[0], ["test", "--select", "test_type:unit"])
    assert exception is None
    assert len(results) >= 7
    assert [f"{node.name}: {node.message}" for node in results if node.failed] == []


def test_the_docs_of_the_marts_are_the_dictionary() -> None:
    assert FILE.read_text(encoding="utf-8") == kpi_docs(), "write them anew with: python -m warehouse.kpi_docs"


ROOT = Path(__file__).parents[2]
_MART = re.compile(r"\b(?:from|join)\s+((?:dim|fct|kpi|dq|bridge)_[a-z_]+)")


def project(settings: Settings) -> Any:
    """The dbt project as this process parsed it."""
    run_dbt(settings, ["list", "--select", "dim_date"])
    (manifest,) = dbt_run._parsed.values()
    return manifest


def test_each_mart_has_a_grain_that_is_tested_a_description_and_an_owner(
    published_centre: tuple[Settings, Publication],
) -> None:
    nodes = project(published_centre[0]).nodes.values()
    tested = {
        node.attached_node
        for node in nodes
        if getattr(node, "test_metadata", None) and node.test_metadata.name == "one_row_per"
    }
    marts = [node for node in nodes if node.resource_type == "model" and node.schema == "marts"]
    assert len(marts) > 50
    assert [node.name for node in marts if node.unique_id not in tested] == []
    assert [node.name for node in marts if not node.description.startswith("One row")] == []
    assert [node.name for node in marts if not node.config.meta.get("owner")] == []


def test_each_page_and_report_says_which_marts_it_reads(published_centre: tuple[Settings, Publication]) -> None:
    read = {
        exposure.name: {node.split(".")[-1] for node in exposure.depends_on.nodes}
        for exposure in project(published_centre[0]).exposures.values()
    }
    pages = {path.stem for path in (ROOT / "dashboards" / "views").glob("*.py")} - {"__init__"}
    assert {f"dashboards_{page}" for page in pages} <= read.keys()
    for package in ("dashboards", "reports"):
        known = set().union(*(marts for name, marts in read.items() if name.startswith(package)))
        queries = (ROOT / package).rglob("*.sql")
        assert {mart for path in queries for mart in _MART.findall(path.read_text(encoding="utf-8"))} - known == set()
