"""What the pipeline left: loads in the lake, the warehouse, the published marts — and how old they are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cli.checks import Check, ago, size
from core.errors import NotPublishedError
from core.lake import completed_loads
from core.settings import Settings, get_settings
from core.time import to_local, utc_now
from warehouse.publication import current, mend_of_unreadable
from warehouse.reader import why_unreadable

#: The pipeline runs at night; older than this, last night's run is missing.
STALE = timedelta(hours=26)


def checks() -> Iterator[Check]:
    """The lake's last load, the warehouse's file, the publication that readers see."""
    settings, now = get_settings(), utc_now()
    yield lake(settings, now)
    yield warehouse_file(settings)
    yield published(settings, now)


def lake(settings: Settings, now: datetime) -> Check:
    """The ledger's newest load and its age."""
    loads = completed_loads(settings.lake)
    if not loads:
        return Check("lake", "problem", f"no completed load in {settings.lake}", "Load it with: crm pipeline")
    last = loads[-1]
    age = now - datetime.fromisoformat(last.completed_at).astimezone(UTC)
    detail = f"{len(loads)} loads, the last {ago(age)} ago ({last.load_id}, {sum(last.rows.values()):,} rows)"
    if age > STALE:
        return Check("lake", "problem", f"stale: {detail}", "Look why the schedule did not run, then: crm pipeline")
    return Check("lake", "ok", detail)


def warehouse_file(settings: Settings) -> Check:
    """Whether the build's file is there; nobody but the build may open it."""
    path = settings.warehouse_file
    if not path.exists():
        return Check("warehouse", "problem", f"there is no {path}", "Build it from the lake with: crm build")
    return Check("warehouse", "ok", f"{path} ({size(path.stat().st_size)})")


def published(settings: Settings, now: datetime) -> Check:
    """The publication that readers see: its run, its age, its file."""
    try:
        publication = current(settings)
    except NotPublishedError as error:
        return Check("published marts", "problem", error.message, error.mend or "Publish with: crm pipeline")
    age = now - publication.published_at
    through = publication.data_through
    reached = f"{to_local(through):%Y-%m-%d %H:%M}" if through else "no event"
    detail = f"run {publication.run_id}, published {ago(age)} ago, data through {reached}"
    wrong = why_unreadable(publication)
    if wrong:
        return Check("published marts", "problem", f"{detail}; {wrong}", mend_of_unreadable(settings, publication))
    detail += f", {size(publication.file.stat().st_size)}"
    newest = _newest_load(settings)
    if age > STALE:
        return Check("published marts", "problem", f"stale: {detail}", "Run: crm pipeline")
    if newest is not None and (publication.loaded_at is None or newest > publication.loaded_at):
        return Check("published marts", "warning", f"{detail}; the lake has newer loads", "Run: crm build, crm publish")
    return Check("published marts", "ok", detail)


def _newest_load(settings: Settings) -> datetime | None:
    loads = completed_loads(settings.lake)
    return datetime.fromisoformat(loads[-1].snapshot_at).astimezone(UTC) if loads else None
