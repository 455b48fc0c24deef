"""What `crm import` prints: progress on stderr, the summary in words or as JSON."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.database import make_engine
from core.errors import ConfigurationError
from core.settings import get_settings
from ingestion.imports.mapping_file import load_mapping
from ingestion.imports.run import Summary, import_file


def told(summary: Summary) -> str:
    """The summary in words."""
    lines = [
        f"{summary.file} ({summary.encoding}), {summary.kind} of {summary.source}: "
        f"{summary.read:,} rows read in {summary.seconds:.1f} s",
        f"{summary.loaded:>12,}  loaded",
        f"{summary.already_there:>12,}  already there",
        f"{summary.rejected:>12,}  rejected",
        *(f"{count:>16,}  {reason}" for reason, count in summary.reasons.items()),
    ]
    if summary.rejected_file:
        lines.append(f"Rejected rows, with line and reason: {summary.rejected_file}")
    if summary.came_to_nothing:
        lines.append("Nothing could be loaded." if summary.read else "The file has a header and no rows.")
    return "\n".join(lines)


def run_command(
    kind: str, file: Path, mapping_file: Path, *, encoding: str | None, sheet: str | None, as_json: bool
) -> int:
    """Import the file and print the summary; the exit status: 0, or 1 if nothing of the file is in the store."""
    mapping = load_mapping(mapping_file)
    if mapping.kind != kind:
        raise ConfigurationError(
            f"The mapping {mapping_file.name} is for {mapping.kind}, not {kind}.", f"Run: crm import {mapping.kind} …"
        )
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with progress:
        task = progress.add_task(f"Importing {file.name}", total=None)

        def report(read: int, lines: int) -> None:
            progress.update(task, completed=read, total=max(lines - 1, read))

        summary = import_file(
            make_engine(), get_settings(), mapping, file, encoding=encoding, sheet=sheet, report=report
        )
    for warning in summary.warnings:
        click.echo(f"Note: {warning}", err=True)
    click.echo(json.dumps(asdict(summary), ensure_ascii=False) if as_json else told(summary))
    return 1 if summary.came_to_nothing else 0
