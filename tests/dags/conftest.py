"""An Airflow of the tests' own: its home, its database (SQLite), our DAGs, nothing of the examples."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Airflow:
    """The airflow command in a home of its own."""

    def __init__(self, home: Path, **more: str) -> None:
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("CRM_", "AIRFLOW"))
        }
        self.environment |= {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "PYTHONPATH": str(ROOT),
            **more,
        }

    @contextmanager
    def as_environment(self) -> Iterator[None]:
        """This process sees this Airflow."""
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def run(self, *arguments: str, seconds: float = 400, **more: str) -> subprocess.CompletedProcess[str]:
        """Run `airflow ARGUMENTS`; its output stands in stdout."""
        return subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=self.environment | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """A migrated Airflow with the pool of the warehouse."""
    found = Airflow(tmp_path_factory.mktemp("airflow"))
    for arguments in (("db", "migrate"), ("pools", "set", "warehouse", "1", "DuckDB has one writer")):
        done = found.run(*arguments)
        assert done.returncode == 0, done.stdout
    yield found


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CRM_HOME whose store holds ten days of a very small province; nothing is ingested yet."""
    home = tmp_path_factory.mktemp("dags_home")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    for arguments in (("init",), ("simulate", "--customers", "400", "--days", "10", "--seed", "1")):
        subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            cwd=ROOT,
            env=environment | {"CRM_HOME": str(home)},
            check=True,
            capture_output=True,
        )
    return home
