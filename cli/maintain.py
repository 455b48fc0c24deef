"""`crm maintain`: fewer lake files, nothing kept past its days, no more publications and backups than wanted."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

import click

from core.settings import Settings, get_settings


@dataclass(frozen=True)
class CompactionResult:
    """Lake files before and after, tables × months joined, their rows, bytes freed, loads of former epochs removed."""

    files_before: int
    files_after: int
    groups: int
    rows: int
    bytes_freed: int
    loads_removed: int
    finished: int
    seconds: float


@dataclass(frozen=True)
class RetentionResult:
    """What was past its days: files of rejected rows, logs, journal segments; messages of the outbox."""

    rejected_files: int
    log_files: int
    journal_segments: int
    outbox_messages: int


@dataclass(frozen=True)
class PruneResult:
    """Publications and backups removed."""

    publications: int
    backups: int


def compact_lake(settings: Settings | None = None) -> CompactionResult:
    """Join the lake's small files, remove what former epochs left; builds and publications wait meanwhile.

    Raises:
        WarehouseBusyError: a build or publication runs.
        CrmError: the lake cannot be written; it is as it was.
    """
    from core.errors import CrmError
    from core.time import utc_now
    from ingestion.compaction import compact, remove_former_epochs, settled
    from warehouse.build import last_build
    from warehouse.lock import warehouse_lock
    from warehouse.publication import kept

    settings = settings or get_settings()
    began = perf_counter()
    with warehouse_lock(settings, "compaction"):
        built = last_build(settings)
        seen = [each.loaded_at for each in kept(settings) if each.loaded_at]
        loads = settled(settings, built.loads if built else [], min(seen, default=None))
        try:
            done = compact(settings.lake, loads)
            removed = remove_former_epochs(settings.lake, utc_now() - timedelta(days=settings.keep_former_epoch_days))
        except OSError as error:
            raise CrmError(f"The lake cannot be written: {error}", "Make room, then run: crm maintain") from error
    return CompactionResult(
        done.files_before, done.files_after, done.groups, done.rows, done.bytes_freed, removed, len(done.finished),
        perf_counter() - began,
    )  # fmt: skip


def forget_old(settings: Settings | None = None) -> RetentionResult:
    """Remove what is past its days (CRM_KEEP_…_DAYS); what a running service still writes stays."""
    from core.database import make_engine, session_scope
    from core.time import utc_now
    from crm_api.bus.service import sweep
    from crm_api.store import require_ready, store_errors
    from telephony.journal import prune as prune_journal

    settings = settings or get_settings()
    now = utc_now()

    def since(days: int) -> datetime:
        return now - timedelta(days=days)

    logs = [*settings.home.glob("*.log"), *settings.home.glob("*/*.log*"), *settings.home.glob("warehouse/dbt/logs/*")]
    engine = make_engine(settings)
    try:
        require_ready(engine)
        with store_errors(engine), session_scope(engine) as session:
            messages = sweep(session)
    finally:
        engine.dispose()
    return RetentionResult(
        rejected_files=_remove(settings.rejected.rglob("*"), since(settings.keep_rejected_days)),
        log_files=_remove(logs, since(settings.keep_log_days)),
        journal_segments=prune_journal(
            settings.home / "telephony" / "journal", before=since(settings.keep_journal_days).timestamp()
        ),
        outbox_messages=messages,
    )


def _remove(files: Iterable[Path], before: datetime) -> int:
    """Remove the files last written before an instant; how many."""
    old = [path for path in files if path.is_file() and path.stat().st_mtime < before.timestamp()]
    for path in old:
        path.unlink()
    return len(old)


def prune_copies(settings: Settings | None = None) -> PruneResult:
    """Keep CRM_KEEP_PUBLICATIONS publications (the current one always) and CRM_KEEP_BACKUPS archives."""
    from cli.backup import backup_folder
    from core.errors import NotPublishedError
    from warehouse.lock import warehouse_lock
    from warehouse.publication import kept, prune

    settings = settings or get_settings()
    with warehouse_lock(settings, "pruning"):
        before = len(kept(settings))
        try:
            prune(settings, settings.keep_publications)
        except NotPublishedError:
            before = len(kept(settings))
        after = len(kept(settings))
    archives = sorted(backup_folder(settings).glob("crm-*.tar.gz"))
    old = archives[: -settings.keep_backups]
    for path in old:
        path.unlink()
    return PruneResult(before - after, len(old))


@click.command(name="maintain")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as one JSON object.")
def maintain_command(as_json: bool) -> None:
    """Join the lake's small files, remove what is past its days, prune publications and backups; safe to run twice."""
    click.echo("  compacting the lake …", err=True)
    compacted = compact_lake()
    click.echo("  forgetting and pruning …", err=True)
    forgotten, pruned = forget_old(), prune_copies()
    if as_json:
        done = {"compaction": asdict(compacted), "retention": asdict(forgotten), "pruning": asdict(pruned)}
        click.echo(json.dumps(done, indent=1))
        return
    click.echo(f"Lake: {compacted.files_before:,} files became {compacted.files_after:,} ({compacted.rows:,} rows of "
               f"{compacted.groups:,} tables and months, {compacted.bytes_freed / 1e6:,.1f} MB freed, "
               f"{compacted.seconds:.1f} s); {compacted.loads_removed:,} loads of former epochs removed.")  # fmt: skip
    click.echo(f"Past their days: {forgotten.rejected_files:,} files of rejected rows, {forgotten.log_files:,} logs, "
               f"{forgotten.journal_segments:,} journal segments, {forgotten.outbox_messages:,} messages.")  # fmt: skip
    click.echo(f"Pruned: {pruned.publications:,} publications, {pruned.backups:,} backups.")
