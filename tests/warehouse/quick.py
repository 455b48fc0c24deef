"""Builds that do no more than a test looks at: dbt's time goes by the number of models and tests."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from core.settings import Settings
from warehouse.build import BuildResult, build
from warehouse.dbt_run import run_dbt

#: Every build asks these how far it reaches (warehouse/horizon.py).
ALWAYS = ("fct_contact", "fct_ticket", "fct_agent_state")


def quick_build(settings: Settings, *marts: str, full_refresh: bool = False) -> BuildResult:
    """`build` of the named marts and what they stand on, with the tests of these; without names all marts, untested."""
    with quick(*marts):
        return build(settings, full_refresh=full_refresh)


@contextmanager
def quick(*marts: str) -> Iterator[None]:
    """In here every build is a `quick_build`, a pipeline's too.

    Untested suffices where a test compares the rows itself, or where others build the same rows with their tests.
    """
    if marts:
        chosen = ["--select", *(f"+{mart}" for mart in (*ALWAYS, *marts)), "--indirect-selection", "cautious"]
    else:
        chosen = ["--exclude-resource-type", "test"]

    def narrowed(settings: Settings, command: Sequence[str], *more: Any) -> Any:
        return run_dbt(settings, [*command, *chosen], *more)

    with patch("warehouse.build.run_dbt", narrowed):
        yield


def copied_home(source: Settings, home: Path) -> Settings:
    """A home with the lake and the build of another, nothing published."""
    shutil.copytree(source.home, home, ignore=shutil.ignore_patterns("published", "dbt", "temp"))
    return Settings(home=home)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker makes and the others of the run only read."""
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    with (folder.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "whole").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / "whole").touch()
    return folder
