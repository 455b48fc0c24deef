"""Homes with a lake and published marts, made once and only read by tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.settings import Settings
from tests.warehouse.centre import busy, reference_rows
from tests.warehouse.lake import Rows, write_load
from warehouse.build import build
from warehouse.publication import Publication
from warehouse.publish import publish


@pytest.fixture(scope="session")
def reference() -> dict[str, Rows]:
    """Reference data as the lake holds it; copy before changing."""
    return reference_rows()


@pytest.fixture(scope="session")
def published_centre(
    tmp_path_factory: pytest.TempPathFactory, reference: dict[str, Rows]
) -> tuple[Settings, Publication]:
    """The hand-made centre, built and published."""
    settings = Settings(home=tmp_path_factory.mktemp("centre") / "home")
    write_load(settings.lake, busy(reference).rows)
    build(settings)
    return settings, publish(settings)


@pytest.fixture
def lake_home(tmp_path: Path, reference: dict[str, Rows]) -> Callable[..., Settings]:
    """A fresh home whose lake holds the reference data and the given rows, as one load."""

    def make(rows: dict[str, Rows] | None = None, **settings: object) -> Settings:
        made = Settings(home=tmp_path / "home", **settings)  # type: ignore[arg-type]  # as each test sets
        write_load(made.lake, rows if rows is not None else reference)
        return made

    return make
