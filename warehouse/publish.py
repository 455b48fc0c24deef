"""Gates the lake's batch and the marts, then publishes the marts as an immutable file."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import duckdb

from core.errors import BadInputError, CrmError, GateFailedError, NotPublishedError
from core.lake import completed_loads
from core.settings import Settings, get_settings
from core.time import utc_now
from warehouse.build import last_build
from warehouse.expectations import Found
from warehouse.export import copy_begun, export_marts
from warehouse.gate_history import GateRun, find, keep, mend_of, new_run_id, released, told_of
from warehouse.gate_page import write_index, write_page
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
        with ExitStack() as held:
            with _writable(settings):
                copied = held.enter_context(copy_begun(settings))
            tell("gates")
            run, found = _gates(settings)
            keep(settings, run)
            write_page(settings, run, found)
            if run.is_held:
                raise GateFailedError(
                    f"A gate does not hold (run {run.run_id}); nothing was published:\n  {told_of(run)}", mend_of(run)
                )
            tell("export")
            return _publish(settings, run, found, copied)


def publish_released(run_id: str, *, by: str, reason: str, settings: Settings | None = None) -> Publication | None:
    """Let a held run pass: its marts are published, what does not hold marked; a lake's loads go into the next build.

    Who may, and the line in the audit log, are the caller's (`cli.publish`).

    Args:
        run_id: of the held run.
        by: the person who decides.
        reason: why it is right as it is.
        settings: of the installation; those of this process by default.

    Returns:
        the publication; None for a run of the lake's gate: `crm pipeline` goes on.

    Raises:
        BadInputError: there is no such run, it is not held, or the marts were built anew since.
    """
    from warehouse.lake_gate import let_pass

    settings = settings or get_settings()
    with warehouse_lock(settings, "release"):
        run = released(find(settings, run_id), by, reason)
        if run.stage == "lake":
            let_pass(settings, run)
            keep(settings, run)
            write_index(settings)
            return None
        built = last_build(settings)
        if built is None or built.build != run.build:
            raise BadInputError(
                f"The marts of {run_id} are gone: they were built anew since.", "Gate what is there now: crm publish"
            )
        with ExitStack() as held:
            with _writable(settings):
                copied = held.enter_context(copy_begun(settings))
            return _publish(settings, run, run.failed, copied)


def _gates(settings: Settings) -> tuple[GateRun, list[Found]]:
    from warehouse.gates import check  # Great Expectations takes seconds to import

    return check(settings, _run_id(settings))


def _run_id(settings: Settings) -> str:
    """A name that sorts by time, after the current publication's even if the clock went back."""
    run_id = new_run_id()
    try:
        return max(run_id, f"{current(settings).run_id[:21]}x")
    except NotPublishedError:
        return run_id


def _marked(run: GateRun, found: list[Found]) -> list[dict[str, Any]]:
    """What was found, with the release where something that stops does not hold."""
    mark = {"released_by": run.released_by, "reason": run.reason}
    return [each if each["holds"] or not run.released_by else each | mark for each in found]


@contextmanager
def _writable(settings: Settings) -> Iterator[None]:
    """What breaks while the file is made is the disk's: PublishFailedError."""
    try:
        yield
    except (OSError, duckdb.Error) as error:
        raise PublishFailedError(
            f"The marts could not be written to {settings.published}: {error}",
            "Make room (or mend the folder), then: crm publish. What was published before is untouched.",
        ) from error


def _publish(settings: Settings, run: GateRun, found: list[Found], copied: Future[None] | None) -> Publication:
    run_id = _run_id(settings) if run.released_by else run.run_id
    run = replace(run, publication=run_id)
    file = marts_file(settings, run_id)
    try:
        with _writable(settings):
            counts = export_marts(settings, file, run_id, copied)
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
                gates=_marked(run, found),
            )
            remember(publication)
            point_to(settings, publication)
    except PublishFailedError:
        file.with_suffix(".json").unlink(missing_ok=True)
        file.unlink(missing_ok=True)
        raise
    keep(settings, run)
    write_index(settings)
    prune(settings, settings.keep_publications)
    return publication
