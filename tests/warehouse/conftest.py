"""Homes with a lake and published marts, made once and only read by tests."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.settings import Settings
from tests.warehouse.centre import busy, reference_rows
from tests.warehouse.lake import Rows, write_load
from tests.warehouse.quick import copied_home, made_once
from warehouse.build import build
from warehouse.publication import Publication, current
from warehouse.publish import publish


@pytest.fixture(scope="session")
def reference() -> dict[str, Rows]:
    """Reference data as the lake holds it; copy before changing."""
    return reference_rows()


@pytest.fixture(scope="session")
def published_centre(
    tmp_path_factory: pytest.TempPathFactory, reference: dict[str, Rows]
) -> tuple[Settings, Publication]:
    """The hand-made centre, built and published: once for all workers, each of which has a copy."""

    def make(folder: Path) -> None:
        settings = Settings(home=folder / "home")
        write_load(settings.lake, busy(reference).rows)
        build(settings)
        publish(settings)

    home = tmp_path_factory.mktemp("centre") / "home"
    shutil.copytree(made_once(tmp_path_factory, "published_centre", make) / "home", home)
    settings = Settings(home=home)
    return settings, current(settings)


@pytest.fixture
def built_centre(published_centre: tuple[Settings, Publication], tmp_path: Path) -> Settings:
    """A copy of the hand-made centre, built but not published."""
    return copied_home(published_centre[0], tmp_path / "home")


@pytest.fixture
def lake_home(tmp_path: Path, reference: dict[str, Rows]) -> Callable[..., Settings]:
    """A fresh home whose lake holds the reference data and the given rows, as one load."""

    def make(rows: dict[str, Rows] | None = None, **settings: object) -> Settings:
        made = Settings(home=tmp_path / "home", **settings)  # type: ignore[arg-type]  # as each test sets
        write_load(made.lake, rows if rows is not None else reference)
        return made

    return make
