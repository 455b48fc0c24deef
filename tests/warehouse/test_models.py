"""dbt's own worked examples hold, and its docs tell the dictionary's definitions."""

from core.settings import Settings
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
