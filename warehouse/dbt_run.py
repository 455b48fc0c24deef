"""One invocation of dbt inside this process, and what it reported."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.settings import Settings

#: The dbt project; it lies beside this package in the source tree.
PROJECT = Path(__file__).resolve().parents[1] / "dbt"
#: Folders of it that make no rows, or that dbt itself writes.
_NO_ROWS = ("tests", "target", "logs")
#: The project as this process parsed it last, by its digest: parsing costs as much as building a small warehouse.
_parsed: dict[str, Any] = {}


@dataclass(frozen=True)
class NodeResult:
    """What became of one model or test."""

    node_id: str
    name: str
    kind: str
    status: str
    message: str
    failures: int
    compiled: str
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether it broke, or a test found rows."""
        return self.status in ("error", "fail", "runtime error")


def building_file(settings: Settings) -> Path:
    """The file that tells the macros what the running build does (warehouse/plan.py): loads, mode, earlier build."""
    return settings.warehouse_file.with_name("building.json")


def _mode(settings: Settings) -> str:
    """What the build that runs, or ran last, does: full or increment."""
    try:
        return str(json.loads(building_file(settings).read_text(encoding="utf-8"))["mode"])
    except (FileNotFoundError, KeyError):
        return "full"


def environment(settings: Settings) -> dict[str, str]:
    """The variables that dbt/profiles.yml and the macros read."""
    folder = settings.warehouse_file.parent
    return {
        "CRM_WAREHOUSE_FILE": str(settings.warehouse_file),
        "CRM_WAREHOUSE_TEMP": str(folder / "temp"),
        "CRM_LAKE": str(settings.lake),
        "CRM_BUILDING": str(building_file(settings)),
        "CRM_BUILD_MODE": _mode(settings),
        "CRM_DUCKDB_MEMORY": settings.duckdb_memory,
        "CRM_DUCKDB_KEPT": _half(settings.duckdb_memory),
        "CRM_DUCKDB_THREADS": str(settings.duckdb_threads),
        "CRM_SERVICE_LEVEL_SECONDS": str(settings.service_level_seconds),
        "CRM_SHORT_ABANDON_SECONDS": str(settings.short_abandon_seconds),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def _half(memory: str) -> str:
    """Half of a memory limit in bytes (`6GB`); nothing of a share (`80%`), which DuckDB 2.0.0 aborts on."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*([KMGT]i?B)\s*", memory, re.IGNORECASE)
    return f"{float(found[1]) / 2:g}{found[2]}" if found else "0B"


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _release_warehouse() -> None:
    """Close dbt's connection: it outlives an invocation, and the file has one opener."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters

    opened = DuckDBConnectionManager._ENV
    if opened is not None:
        opened.close()
    DuckDBConnectionManager.close_all_connections()
    reset_adapters()


def project_digest(*, only_rows: bool) -> str:
    """Changes with every file of the dbt project, or with those that decide what rows the models hold."""
    digest = hashlib.sha256()
    for path in sorted(PROJECT.rglob("*")):
        place = path.relative_to(PROJECT)
        if path.suffix in (".sql", ".yml", ".csv") and not (only_rows and place.parts[0] in _NO_ROWS):
            digest.update(f"{place}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _parse(options: Sequence[str], places: Sequence[str]) -> BaseException | None:
    """Parse the project unless this process did already; the exception that stopped dbt."""
    from dbt.cli.main import dbtRunner

    digest = project_digest(only_rows=False)
    if digest in _parsed:
        return None
    outcome = dbtRunner().invoke([*options, "parse", *places])
    if outcome.exception is None:
        _parsed.clear()
        _parsed[digest] = outcome.result
    stopped: BaseException | None = outcome.exception
    return stopped


def _node_results(result: Any) -> list[NodeResult]:
    return [
        NodeResult(
            node_id=entry.node.unique_id,
            name=entry.node.name,
            kind=str(entry.node.resource_type),
            status=str(entry.status),
            message=str(entry.message or ""),
            failures=int(entry.failures or 0),
            compiled=str(getattr(entry.node, "compiled_code", None) or ""),
            seconds=float(entry.execution_time),
        )
        for entry in getattr(result, "results", ())
    ]


def run_dbt(
    settings: Settings,
    command: Sequence[str],
    on_event: Callable[[Any], None] | None = None,
    *,
    artefacts: bool = False,
) -> tuple[list[NodeResult], BaseException | None]:
    """Run one dbt command on the warehouse of `settings`, in this process; nothing is printed.

    Args:
        settings: of the installation.
        command: dbt's command with its own options.
        on_event: called with each of dbt's events.
        artefacts: write manifest and run results into dbt/target beside the warehouse.

    Returns:
        what became of each node, and the exception that stopped dbt itself (e.g. a model that does not parse).
    """
    from dbt.cli.main import dbtRunner

    folder = settings.warehouse_file.parent
    folder.mkdir(parents=True, exist_ok=True)
    options = [
        "--quiet",
        "--log-level", "none",
        "--log-level-file", "info",
        "--log-path", str(folder / "dbt" / "logs"),
        "--no-version-check",
        "--write-json" if artefacts else "--no-write-json",
        "--no-use-colors",
    ]  # fmt: skip
    places = [
        "--project-dir", str(PROJECT),
        "--profiles-dir", str(PROJECT),
        "--target-path", str(folder / "dbt" / "target"),
        # One model at a time, on all of DuckDB's threads: two would share its memory, and spill what one holds.
        "--threads", "1",
    ]  # fmt: skip
    with _variables(environment(settings)):
        try:
            stopped = _parse(options, places)
            if stopped is not None:
                return [], stopped
            (manifest,) = _parsed.values()
            runner = dbtRunner(manifest, callbacks=[on_event] if on_event else [])
            outcome = runner.invoke([*options, *command, *places])
        finally:
            _release_warehouse()
    return _node_results(outcome.result), outcome.exception
