"""`crm backup` and `crm restore`: an installation as one file, and back; a drill that proves it."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from core.errors import CrmError
from core.settings import Settings, get_settings

#: Folders of CRM_HOME that an archive holds whole; the lake and the published marts are taken by their own rules.
FOLDERS = ("attachments", "recordings", "models", "reports", "rejected", "exchange")
#: What a restored installation makes anew.
_MADE_ANEW = ("ingest", "warehouse")


class DrillFailedError(CrmError):
    """A restored copy is not what was backed up."""

    exit_code = 3


@dataclass(frozen=True)
class BackupResult:
    """A written archive: where, bytes, files, rows of the store, seconds."""

    file: Path
    size: int
    files: int
    rows: int
    seconds: float


@dataclass(frozen=True)
class RestoreResult:
    """What was restored: the archive's time, files, rows of the store, how many figures were compared, seconds."""

    made_at: str
    files: int
    rows: int
    figures: int
    seconds: float


def backup_folder(settings: Settings) -> Path:
    """Where archives lie unless told otherwise."""
    return settings.home / "backups"


def backup(settings: Settings | None = None, to: Path | None = None) -> BackupResult:
    """Write store, lake, published marts, attachments, recordings, models and reports into one archive.

    The store is copied as of one instant while people go on working; loads and builds wait for the archive.

    Raises:
        StoreUnavailableError: the store is missing or does not answer.
        WarehouseBusyError: a build or publication runs.
        CrmError: the archive cannot be written; nothing of it stays.
    """
    from cli.archive import Manifest, write_archive
    from cli.store_copy import FILES, copy_store
    from core.database import make_engine
    from core.lake import newest_load
    from core.time import utc_now
    from crm_api.store import require_ready, store_errors
    from ingestion.load import only_load
    from warehouse.lock import warehouse_lock

    settings = settings or get_settings()
    began, made_at = perf_counter(), utc_now()
    folder = to or backup_folder(settings)
    engine = make_engine(settings)
    try:
        require_ready(engine)
        folder.mkdir(parents=True, exist_ok=True)
        # Nothing may compact the lake or prune publications while they are read.
        with (
            only_load(settings), warehouse_lock(settings, "backup"),
            tempfile.TemporaryDirectory(dir=folder, prefix=".copy-") as work,
        ):  # fmt: skip
            with store_errors(engine):
                copied, rows = copy_store(engine, Path(work))
            newest = newest_load(settings.lake)
            run_id, figures = _figures(settings)
            manifest = Manifest(
                made_at=made_at.isoformat(), version=version("broadcast-crm"), store=engine.dialect.name,
                revision=_revision(engine), epoch=newest.epoch if newest else 0, run_id=run_id,
                rows=rows, figures=figures,
            )  # fmt: skip
            target = folder / f"crm-{made_at:%Y%m%dT%H%M%S}.tar.gz"
            files = [(FILES[manifest.store], copied), *_files(settings)]
            manifest = write_archive(target, files, manifest)
    except OSError as error:
        raise CrmError(f"The backup cannot be written: {error}", "Make room or name another folder: --to.") from error
    finally:
        engine.dispose()
    return BackupResult(target, target.stat().st_size, len(manifest.files), sum(rows.values()), perf_counter() - began)


def _revision(engine: Any) -> str:
    from alembic.runtime.migration import MigrationContext

    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def _files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Every file but the store, by its name in the archive; the ledger first, so that what it names is there."""
    from core.lake import LEDGER
    from warehouse.publication import POINTER

    lake = settings.lake
    ledger = sorted((lake / LEDGER).glob("*.json"))
    kept = [path for path in sorted(lake.rglob("*")) if path.is_file() and path.parent.name != LEDGER]
    yield from ((str(path.relative_to(settings.home)), path) for path in [*ledger, *kept])
    pointer = settings.published / POINTER
    if pointer.exists():
        marts = settings.published / json.loads(pointer.read_text(encoding="utf-8"))["file"]
        for path in (pointer, marts, marts.with_suffix(".json")):
            yield str(path.relative_to(settings.home)), path
    for name in FOLDERS:
        for path in sorted((settings.home / name).rglob("*")):
            if path.is_file():
                yield str(path.relative_to(settings.home)), path


def _figures(settings: Settings) -> tuple[str | None, dict[str, float | None]]:
    """The run that readers see and its KPIs of all data; none if nothing is published."""
    import pandas as pd

    from core.errors import NotPublishedError
    from core.scope import PROVINCE
    from warehouse.kpi import kpi_table
    from warehouse.publication import current
    from warehouse.reader import open_reader

    try:
        publication = current(settings)
    except NotPublishedError:
        return None, {}
    table = kpi_table(open_reader(publication, PROVINCE), None, None)
    row = table.iloc[0].to_dict() if len(table) else {}
    return publication.run_id, {str(code): None if pd.isna(value) else float(value) for code, value in row.items()}


def restore(archive: Path, settings: Settings | None = None, *, force: bool = False) -> RestoreResult:
    """Make this installation what the archive holds, and let ingestion start anew.

    Raises:
        DamagedArchiveError: the archive is not what was written; nothing was changed.
        CrmError: the installation is not empty and `force` is not given; or the store cannot be replaced.
    """
    settings = settings or get_settings()
    with _unpacked(archive, settings.home) as (folder, manifest):
        return _restore(archive, folder, manifest, settings, force=force)


def _restore(archive: Path, folder: Path, manifest: Any, settings: Settings, *, force: bool) -> RestoreResult:
    from cli.store_copy import FILES, is_empty, put_store, require_same_kind
    from core.database import make_engine
    from crm_api.store import mark_restored, migrate, store_errors
    from ingestion.load import only_load
    from warehouse.lock import warehouse_lock

    began = perf_counter()
    engine = make_engine(settings)
    require_same_kind(engine, archive, manifest.store)
    _require_known(archive, manifest.revision)
    with store_errors(engine):
        held = [] if is_empty(engine) else ["the store"]
    held += [name for name in ("lake", "published", *FOLDERS) if any((settings.home / name).glob("*"))]
    if held and not force:
        raise CrmError(
            f"{settings.home} is not empty: {', '.join(held)}.",
            "Restore into an empty CRM_HOME and store, or replace what is here with --force (stop all services first).",
        )
    with only_load(settings), warehouse_lock(settings, "restore"), store_errors(engine):
        put_store(engine, folder / FILES[manifest.store])
        # Before anything else: from here on ingestion knows that the store went back in time.
        migrate(engine)
        mark_restored(engine)
        for name in ("lake", "published", *FOLDERS):
            _put_folder(folder / name, settings.home / name)
        for path in _leftovers(settings):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    engine.dispose()
    return RestoreResult(
        manifest.made_at,
        len(manifest.files),
        sum(manifest.rows.values()),
        len(manifest.figures),
        perf_counter() - began,
    )


def _require_known(archive: Path, revision: str) -> None:
    from crm_api.store import knows_revision

    if not knows_revision(revision):
        raise CrmError(
            f"{archive} holds a store of revision {revision}, which this program does not know.",
            "Restore it with the program that wrote it or a newer one.",
        )


def _put_folder(source: Path, target: Path) -> None:
    """Replace a folder by the archive's; a folder that the archive lacks goes too."""
    if target.exists():
        shutil.rmtree(target)
    if source.exists():
        shutil.move(source, target)


def _leftovers(settings: Settings) -> Iterator[Path]:
    """What is made anew from the lake and the store; the locks that are held now stay."""
    for name in _MADE_ANEW:
        yield from (path for path in (settings.home / name).glob("*") if not path.name.endswith("lock"))


@contextmanager
def _unpacked(archive: Path, home: Path) -> Iterator[tuple[Path, Any]]:
    from cli.archive import unpack

    home.mkdir(parents=True, exist_ok=True)
    # Beside what it becomes, so that putting it in place is a rename.
    with tempfile.TemporaryDirectory(dir=home, prefix=".restore-") as folder:
        yield Path(folder), unpack(archive, Path(folder))


def drill(archive: Path, settings: Settings | None = None) -> RestoreResult:
    """Restore into a temporary home (and database), compare rows and figures with the manifest, remove it.

    Raises:
        DrillFailedError: something differs; names it.
        CrmError: as `restore`.
    """
    from cli.store_copy import row_counts, spare_store
    from core.database import make_engine

    settings = settings or get_settings()
    with (
        tempfile.TemporaryDirectory(dir=settings.home, prefix=".drill-") as place,
        spare_store(settings, Path(place)) as spare,
    ):
        with _unpacked(archive, Path(place)) as (folder, manifest):
            done = _restore(archive, folder, manifest, spare, force=False)
        engine = make_engine(spare)
        with engine.connect() as connection:
            rows = row_counts(connection)
        engine.dispose()
        run_id, figures = _figures(spare)
        _require_same("rows", {name: rows.get(name) for name in manifest.rows}, manifest.rows, archive)
        _require_same("run", {"run": run_id}, {"run": manifest.run_id}, archive)
        _require_same("figures", figures, manifest.figures, archive)
    return replace(done, figures=len(figures))


def _require_same(what: str, found: dict[str, Any], expected: dict[str, Any], archive: Path) -> None:
    differing = [name for name in expected if found.get(name) != expected[name]]
    if differing:
        told = ", ".join(f"{name}: {expected[name]} → {found.get(name)}" for name in differing[:5])
        raise DrillFailedError(f"{archive} restored has other {what}: {told}.", "Take a new backup and drill it again.")


@click.command(name="backup")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Folder. [default: CRM_HOME/backups]")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as one JSON object.")
def backup_command(to: Path | None, as_json: bool) -> None:
    """Write the whole installation into one file: store, lake, published marts, attachments, recordings, models."""
    click.echo("  copying …", err=True)
    done = backup(to=to)
    if as_json:
        _print(done)
        return
    click.echo(f"{done.file}: {done.files:,} files, {done.rows:,} rows of the store, {done.size / 1e6:,.1f} MB "
               f"({done.seconds:.1f} s).")  # fmt: skip


@click.command(name="restore")
@click.argument("archive", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace what is here.")
@click.option(
    "--drill", "is_drill", is_flag=True, help="Only try: restore elsewhere, compare rows and figures, remove."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was done as one JSON object.")
def restore_command(archive: Path, force: bool, is_drill: bool, as_json: bool) -> None:
    """Make this installation what ARCHIVE holds; a damaged archive changes nothing."""
    click.echo("  verifying and unpacking …", err=True)
    done = drill(archive) if is_drill else restore(archive, force=force)
    if as_json:
        _print(done)
        return
    if is_drill:
        click.echo(f"{archive} of {done.made_at} can be restored: {done.rows:,} rows and {done.figures} figures are "
                   f"the same ({done.seconds:.1f} s).")  # fmt: skip
        return
    click.echo(f"Restored {done.files:,} files and {done.rows:,} rows of {done.made_at} ({done.seconds:.1f} s). "
               "Readers see its marts; run crm pipeline: the store is taken anew.")  # fmt: skip


def _print(done: BackupResult | RestoreResult) -> None:
    from dataclasses import asdict

    click.echo(json.dumps(asdict(done), default=str, indent=1))
