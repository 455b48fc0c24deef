"""Lake to marts: runs dbt and its tests on warehouse.duckdb, which nothing else opens."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from core.errors import CrmError, GateFailedError, NotPublishedError
from core.files import write_atomically
from core.settings import Settings, get_settings
from core.time import LOCAL, utc_now
from warehouse.anew import clear
from warehouse.dbt_run import NodeResult, run_dbt
from warehouse.horizon import data_through
from warehouse.lake_gate import refuse_held
from warehouse.lock import warehouse_lock
from warehouse.plan import Built, make_plan, tell_dbt
from warehouse.publication import current
from warehouse.samples import sample_rows

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class BuildResult:
    """A finished build: which loads it saw, what it made, how long it took."""

    built_at: str
    loads: list[str]
    models: int
    tests: int
    seconds: float
    mode: str = "full"
    reason: str = ""
    build: str = ""
    fingerprint: str = ""
    through: str | None = None


class BuildFailedError(CrmError):
    """dbt could not build a model: a fault of the project or of the machine, not of the data."""


def stamp_file(settings: Settings) -> Path:
    """The file that says that warehouse.duckdb holds a whole, tested build."""
    return settings.warehouse_file.with_name("BUILD.json")


def last_build(settings: Settings) -> BuildResult | None:
    """The build that warehouse.duckdb holds; None if there is none or the last one failed."""
    try:
        return BuildResult(**json.loads(stamp_file(settings).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _listener(progress: Progress | None) -> Callable[[object], None] | None:
    if progress is None:
        return None

    def on_event(event: object) -> None:
        name = event.info.name  # type: ignore[attr-defined]  # dbt's events are protobuf
        if name in ("LogModelResult", "LogTestResult", "LogNodeResult"):
            data = event.data  # type: ignore[attr-defined]  # dbt's events are protobuf
            progress(data.node_info.node_name, data.index, getattr(data, "total", 0) or data.num_models)

    return on_event


def _failed_tests(settings: Settings, failed: list[NodeResult]) -> GateFailedError:
    lines = []
    for test in failed:
        lines.append(f"{test.name}: {test.message}")
        lines += [f"    {row}" for row in sample_rows(settings.warehouse_file, test.compiled)]
    return GateFailedError(
        "The marts break what must hold; nothing is published:\n  " + "\n  ".join(lines),
        "Mend the rows at their source, ingest again, then build again.",
    )


def _refuse(settings: Settings, results: list[NodeResult], exception: BaseException | None) -> None:
    if isinstance(exception, KeyboardInterrupt):
        raise exception
    broken = [node for node in results if node.failed and node.kind not in ("test", "unit_test")]
    if broken:
        told = "\n  ".join(f"{node.name}: {node.message}" for node in broken)
        raise BuildFailedError(f"The marts could not be built:\n  {told}", _disk_mend(told))
    tests = [node for node in results if node.failed]
    if tests:
        raise _failed_tests(settings, tests)
    if exception is not None:
        raise BuildFailedError(f"dbt stopped: {exception}", _disk_mend(str(exception)))


def _disk_mend(message: str) -> str:
    if "No space left" in message or "could not write" in message.lower():
        return "The disk is full: make room under CRM_HOME, then build again; what is published is untouched."
    if "Out of Memory" in message:
        return "Raise CRM_DUCKDB_MEMORY, or lower CRM_DUCKDB_THREADS."
    return "See warehouse/dbt/logs/dbt.log under CRM_HOME."


def _through(settings: Settings) -> str | None:
    """The local day of the latest recorded event: it may still grow, the days before it are finished."""
    latest = data_through(settings)
    return latest.astimezone(LOCAL).date().isoformat() if latest else None


def _before(settings: Settings) -> Built | None:
    last = last_build(settings)
    if last is None or not settings.warehouse_file.exists():
        return None
    try:
        seen: str | None = current(settings).run_id
    except NotPublishedError:
        seen = None
    return Built(last.build, last.loads, last.fingerprint, last.through, seen)


def _as_it_stands(last: BuildResult, started: float) -> BuildResult:
    """The result of a build that found no new load: nothing was run."""
    return replace(last, models=0, tests=0, mode="increment", reason="", seconds=time.monotonic() - started)


def build(
    settings: Settings | None = None, progress: Progress | None = None, *, full_refresh: bool = False
) -> BuildResult:
    """Bring the marts up to the lake's completed loads and test them; repeating it gives the same marts.

    Only what the new loads touch is made anew, unless there is nothing to add to (see `warehouse.plan.make_plan`).

    Args:
        settings: of the installation; those of this process by default.
        progress: called with a node's name, its number and how many there are.
        full_refresh: make everything anew.

    Raises:
        CrmError: nothing has been ingested yet, or another build runs.
        BuildFailedError: a model could not be built.
        GateFailedError: a test of the marts found rows; names the tests and shows some.
    """
    settings = settings or get_settings()
    started = time.monotonic()
    with warehouse_lock(settings, "build"):
        # An ingest that ends meanwhile is left to the next build.
        plan = make_plan(settings, _before(settings), full=full_refresh)
        refuse_held(settings, plan.loads)
        if not plan.loads and (last := last_build(settings)) is not None:
            return _as_it_stands(last, started)
        # Without its stamp a warehouse is not whole: what breaks now is followed by a full build.
        stamp_file(settings).unlink(missing_ok=True)
        tell_dbt(settings, plan)
        if plan.mode == "full":
            clear(settings)
        command = ["build", "--exclude-resource-type", "unit_test", "--exclude", "tag:features"]
        results, exception = run_dbt(settings, command, _listener(progress))
        _refuse(settings, results, exception)
        result = BuildResult(
            built_at=utc_now().isoformat(),
            loads=plan.all_loads,
            models=sum(node.kind == "model" for node in results),
            tests=sum(node.kind in ("test", "unit_test") for node in results),
            seconds=time.monotonic() - started,
            mode=plan.mode,
            reason=plan.reason,
            build=plan.build,
            fingerprint=plan.fingerprint,
            through=_through(settings),
        )
        write_atomically(stamp_file(settings), json.dumps(asdict(result), indent=1))
    return result
