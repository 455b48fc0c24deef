"""Gates the lake's batch and the marts, then publishes the marts as an immutable file."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import duckdb

from core.errors import CrmError, NotPublishedError
from core.lake import completed_loads
from core.settings import Settings, get_settings
from core.time import utc_now
from warehouse.build import last_build
from warehouse.export import export_marts
from warehouse.horizon import data_through
from warehouse.lock import warehouse_lock
from warehouse.publication import Publication, current, marts_file, point_to, prune, remember


class PublishFailedError(CrmError):
    """The file of marts could not be written; what was published stays as it was."""


def publish(settings: Settings | None = None, progress: Callable[[str], None] | None = None) -> Publication:
    """Gate and publish the built marts; readers see the old publication or the new one, never a mix.

    Raises:
        CrmError: there is no whole, tested build, or the warehouse is in use.
        GateFailedError: an expectation does not hold; names it with sample rows; nothing is published.
        PublishFailedError: the file could not be written (a full disk); what was published is untouched.
    """
    settings = settings or get_settings()
    tell = progress or (lambda _: None)
    with warehouse_lock(settings, "publish"):
        if last_build(settings) is None:
            raise CrmError("There is no finished build to publish.", "Build the marts with: crm build")
        tell("gates")
        gates = _gates(settings)
        tell("export")
        return _publish(settings, gates)


def _gates(settings: Settings) -> list[dict[str, Any]]:
    from warehouse.gates import check  # Great Expectations takes seconds to import

    return check(settings)


def _run_id(settings: Settings) -> str:
    """A name that sorts by time, after the current publication's even if the clock went back."""
    run_id = utc_now().strftime("%Y%m%dT%H%M%S%f")
    try:
        return max(run_id, f"{current(settings).run_id[:21]}x")
    except NotPublishedError:
        return run_id


def _publish(settings: Settings, gates: list[dict[str, Any]]) -> Publication:
    run_id = _run_id(settings)
    file = marts_file(settings, run_id)
    try:
        counts = export_marts(settings, file, run_id)
        built = last_build(settings)
        # The load that the marts were built from: the lake may have newer ones by now.
        loads = [load for load in completed_loads(settings.lake) if built and load.load_id == built.loads[-1]]
        publication = Publication(
            run_id=run_id,
            file=file,
            published_at=utc_now(),
            data_through=data_through(settings),
            loaded_at=datetime.fromisoformat(loads[-1].snapshot_at) if loads else None,
            row_counts=counts,
            gates=gates,
        )
        remember(publication)
        point_to(settings, publication)
    except (OSError, duckdb.Error) as error:
        file.with_suffix(".json").unlink(missing_ok=True)
        file.unlink(missing_ok=True)
        raise PublishFailedError(
            f"The marts could not be written to {settings.published}: {error}",
            "Make room (or mend the folder), then: crm publish. What was published before is untouched.",
        ) from error
    prune(settings, settings.keep_publications)
    return publication
