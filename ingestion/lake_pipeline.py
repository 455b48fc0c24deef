"""The dlt pipeline: packages of Parquet files into the lake, and the cursor that commits with each package."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.storages import NormalizeStorage
from dlt.common.versioned_state import decompress_state
from dlt.destinations import filesystem
from dlt.destinations.impl.filesystem.filesystem import CURRENT_VERSION, INIT_FILE_NAME
from dlt.pipeline.exceptions import PipelineStepFailed

from core.errors import CrmError
from core.files import write_atomically
from core.lake import LOAD_COLUMN, PERSONAL_TABLE, Load
from core.settings import Settings
from ingestion.source import Snapshot, personal_values, without_personal

NAME = "crm"
_RESOURCE = "captured"


def _day(_schema: str, _table: str, load_id: str, _file: str, _extension: str) -> str:
    """The load's day as core.lake.load_file writes it."""
    return datetime.fromtimestamp(float(load_id), UTC).strftime("%Y-%m-%d")


def _configure() -> None:
    """dlt's settings, in force for this process: nothing is asked or sent anywhere, no file is kept twice."""
    os.environ.update(
        {
            # Airflow's secrets would import Airflow and ask its database, for seconds.
            "PROVIDERS__ENABLE_AIRFLOW_SECRETS": "false",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "ERROR",
            "LOAD__DELETE_COMPLETED_JOBS": "true",
            "LOAD__RAISE_ON_MAX_RETRIES": "1",
            "LOAD__WORKERS": "2",
            "DATA_WRITER__FILE_MAX_BYTES": str(256 * 1024 * 1024),
        }
    )


def work_folder(settings: Settings) -> Path:
    """Where dlt keeps its packages until they lie in the lake; it can be lost without harm."""
    return settings.home / "ingest" / "dlt"


def open_pipeline(settings: Settings) -> Any:
    """The pipeline, its state brought up to what the lake says."""
    _configure()
    _drop_torn_bookkeeping(settings.lake)
    destination = filesystem(
        bucket_url=str(settings.lake.parent),
        layout="{table_name}/{day}/{load_id}.{file_id}.{ext}",
        extra_placeholders={"day": _day},
    )
    pipeline = dlt.pipeline(
        pipeline_name=NAME,
        pipelines_dir=str(work_folder(settings)),
        destination=destination,
        dataset_name=settings.lake.name,
    )
    _adopt(settings.lake)
    with told():
        pipeline.sync_destination()
    return pipeline


def _adopt(lake: Path) -> None:
    """Mark a lake that others began (its schema files are there) as dlt's; it refuses to make a folder that exists."""
    marker = lake / INIT_FILE_NAME
    if not marker.exists():
        write_atomically(marker, json.dumps({"initial_version": CURRENT_VERSION, "current_version": CURRENT_VERSION}))


def _drop_torn_bookkeeping(lake: Path) -> None:
    """Remove what a kill left half written of dlt's own notes; the package that wrote them writes them again."""
    for path in lake.glob("_dlt_*/*.jsonl"):
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            path.unlink()


@contextmanager
def told() -> Iterator[None]:
    """Turn dlt's wrapping of a failure into the failure itself, told to a user."""
    try:
        yield
    except PipelineStepFailed as failure:
        raise _unwrapped(failure) from failure


def _unwrapped(failure: BaseException) -> CrmError:
    cause: BaseException | None = failure
    last = failure
    while cause is not None:
        if isinstance(cause, CrmError):
            return cause
        last, cause = cause, cause.__cause__ or cause.__context__
    reason = str(last).strip().splitlines()[0] if str(last).strip() else type(last).__name__
    return CrmError(
        f"The load was not finished: {reason}",
        "Readers still see the lake as it was. Make room or mend what is said above, then run: crm ingest. "
        "If it fails in the same way again, delete the folder ingest in CRM_HOME: nothing is lost by that.",
    )


def finish_pending(pipeline: Any) -> None:
    """Finish the packages that an ended process left behind, and remove what it had only half extracted."""
    if pipeline.has_pending_data:
        with told():
            pipeline.run()
            # The packages carry a newer state than the one that the ended process saved.
            pipeline.sync_destination()
    folder = Path(pipeline.working_dir)
    # dlt keeps the notes of every package for ever, and extracts into folders that it never looks at again.
    for path in [*(folder / "normalize").glob("*"), *(folder / "load" / "loaded").glob("*")]:
        if path.is_dir() and path.name != NormalizeStorage.EXTRACTED_FOLDER:
            shutil.rmtree(path)


def last_load(pipeline: Any) -> Load | None:
    """The load after which the next one begins, as the pipeline's state keeps it."""
    resources = pipeline.state.get("sources", {}).get(NAME, {}).get("resources", {})
    content = resources.get(_RESOURCE, {}).get("load")
    return Load(**content) if content else None


def loads_in_lake(lake: Path) -> Iterator[Load]:
    """The loads whose files dlt has put into the lake wholly, as their packages describe them."""
    for path in sorted((lake / "_dlt_pipeline_state").glob(f"{NAME}__*.jsonl")):
        document = json.loads(path.read_text(encoding="utf-8"))
        state = decompress_state(document["state"])
        content = state.get("sources", {}).get(NAME, {}).get("resources", {}).get(_RESOURCE, {}).get("load")
        if content:
            yield Load(**content)


def deliver(pipeline: Any, snapshot: Snapshot, epoch: int, follows: str, report: Callable[[str, int], None]) -> Load:
    """Carry the snapshot's rows into the lake as one package together with the cursor.

    Args:
        pipeline: what `open_pipeline` gave.
        snapshot: the store.
        epoch: the load's epoch.
        follows: id of the load that it continues; empty: the snapshot gives the whole store.
        report: told after each batch.

    Returns:
        The load, complete in the lake but not yet in the ledger.
    """

    def captured() -> Iterator[Any]:
        load_id: str = dlt.current.load_package_state()["load_id"]
        rows: Counter[str] = Counter()
        for table, batch in snapshot.batches():
            split = {table.name: without_personal(table, batch), PERSONAL_TABLE: personal_values(table, batch)}
            for name, content in split.items():
                if content.num_rows:
                    rows[name] += content.num_rows
                    marked = content.append_column(LOAD_COLUMN, pa.repeat(load_id, content.num_rows))
                    yield dlt.mark.with_table_name(marked, name)
            report(table.name, batch.num_rows)
        load = Load(
            load_id=load_id,
            epoch=epoch,
            store_id=snapshot.state.store_id,
            cursor=snapshot.state.cursor,
            snapshot_at=snapshot.snapshot_at,
            completed_at="",
            rows=dict(rows),
            snapshot=str(snapshot.state.position),
            follows=follows,
            store_rows=snapshot.store_rows,
        )
        dlt.current.resource_state()["load"] = asdict(load)

    resource = dlt.resource(captured, name=_RESOURCE, write_disposition="append")
    with told():
        pipeline.extract(dlt.source(lambda: resource, name=NAME)())
        pipeline.normalize()
        pipeline.load()
    load = last_load(pipeline)
    if load is None:
        raise RuntimeError("dlt did not keep the resource's state")
    return load
