"""dbt's documents of a publication: every mart with its description, tests and lineage, as one page."""

import shutil
from pathlib import Path

from core.errors import CrmError
from core.settings import Settings, get_settings
from warehouse.dbt_run import run_dbt
from warehouse.lock import warehouse_lock
from warehouse.publication import kept

_PREFIX = "documents_"


class DocumentsError(CrmError):
    """dbt could not describe the marts."""


def keep_documents(run_id: str, settings: Settings | None = None) -> Path:
    """Write the documents of the built marts beside the publication `run_id`; those of pruned ones go.

    Returns:
        The page (static: it opens without a server); manifest.json and catalog.json lie beside it.

    Raises:
        DocumentsError: dbt failed; WarehouseBusyError: a build runs.
    """
    settings = settings or get_settings()
    with warehouse_lock(settings, "documents"):
        _, exception = run_dbt(settings, ["docs", "generate", "--static"], artefacts=True)
    target = settings.warehouse_file.parent / "dbt" / "target"
    if exception is not None or not (target / "static_index.html").exists():
        raise DocumentsError(
            f"dbt could not write its documents: {exception}.", "See warehouse/dbt/logs/dbt.log under CRM_HOME."
        )
    folder = settings.published / f"{_PREFIX}{run_id}"
    making = folder.with_name(f".{folder.name}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for name, kept_as in (("static_index.html", "index.html"), ("manifest.json", ""), ("catalog.json", "")):
        shutil.copyfile(target / name, making / (kept_as or name))
    shutil.rmtree(folder, ignore_errors=True)
    making.rename(folder)
    known = {f"{_PREFIX}{publication.run_id}" for publication in kept(settings)} | {folder.name}
    for old in settings.published.glob(f"{_PREFIX}*"):
        if old.name not in known:
            shutil.rmtree(old, ignore_errors=True)
    return folder / "index.html"
