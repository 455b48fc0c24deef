"""`crm pipeline`: ingest, gate, build and publish in order, each told with its time."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import click

from core.settings import Settings, get_settings

if TYPE_CHECKING:
    from warehouse.build import Progress
    from warehouse.publication import Publication

#: Told once a step is over: its name, seconds, what it did.
Tell = Callable[[str, float, str], None]


@dataclass(frozen=True)
class PipelineResult:
    """What the steps did, in seconds and rows."""

    run_id: str
    rows_loaded: int
    marts_rows: int
    ingest_seconds: float
    gate_seconds: float
    build_seconds: float
    publish_seconds: float


def run_pipeline(
    settings: Settings | None = None,
    tell: Tell = lambda _step, _seconds, _what: None,
    progress: "Callable[[], AbstractContextManager[Progress | None]]" = nullcontext,
) -> PipelineResult:
    """Operational store to published marts; stops at the first step that fails, leaving what was published.

    Args:
        settings: of the installation; those of this process by default.
        tell: called after each step.
        progress: opened while the marts are built; gives the function that is told each node, or None.

    Raises:
        CrmError: as ingest, build and publish do.
    """
    from ingestion.load import ingest
    from warehouse.build import build
    from warehouse.lake_gate import inspect
    from warehouse.publish import publish

    settings = settings or get_settings()
    began = perf_counter()
    loaded = ingest(settings)
    rows = sum(loaded.rows.values())
    ingested = perf_counter()
    tell("ingest", ingested - began, f"{rows:,} rows" if loaded.load_id else "nothing new")
    judged = inspect(settings)
    gated = perf_counter()
    if judged:
        aside = f", {judged.set_aside:,} rows set aside (crm quarantine)" if judged.set_aside else ""
        tell("gate", gated - ingested, f"{judged.checked} expectations, {len(judged.failed)} broken{aside}")
    with progress() as told:
        made = build(settings, told)
    built = perf_counter()
    tell("build", built - gated, f"{made.models} models, {made.tests} tests hold")
    publication = publish(settings)
    published = perf_counter()
    tell("publish", published - built, _described(publication))
    return PipelineResult(
        run_id=publication.run_id,
        rows_loaded=rows,
        marts_rows=sum(publication.row_counts.values()),
        ingest_seconds=ingested - began,
        gate_seconds=gated - ingested,
        build_seconds=built - gated,
        publish_seconds=published - built,
    )


def _described(publication: "Publication") -> str:
    rows = sum(publication.row_counts.values())
    broken = sum(not gate["holds"] for gate in publication.gates)
    return f"run {publication.run_id}, {rows:,} rows, {len(publication.gates)} expectations, {broken} broken"


def tell_step(step: str, seconds: float, what: str) -> None:
    """One line a step on stderr."""
    click.echo(f"  {step:<8}{seconds:>7.1f} s  {what}", err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print what was done as one JSON object.")
def pipeline(as_json: bool) -> None:
    """Operational store to published marts: ingest, gate, build, gate and publish in order."""
    from warehouse.progress import build_progress

    result = run_pipeline(tell=tell_step, progress=build_progress)
    if as_json:
        import json

        click.echo(json.dumps(asdict(result), indent=1))
    else:
        click.echo(f"Readers now see run {result.run_id}.")
