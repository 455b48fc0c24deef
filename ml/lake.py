"""What the models write into the lake: Parquet files, and a ledger entry last that makes them exist for readers.

    <lake>/ml_<table>/<day>/<load id>.<part>.parquet
    <lake>/_ml_ledger/<load id>.json          {"load_id", "written_at", "files": [{"table", "part", "path"}, …]}

The newest entry of a (table, part) replaces the earlier ones of that part; other parts stay. The store's own ledger
(core/lake.py) is not touched: these rows come from models, not from the store.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from core.files import write_atomically
from core.lake import new_load_id
from core.settings import Settings
from core.time import utc_now

LEDGER = "_ml_ledger"
_PART = re.compile(r"[^a-z0-9_@-]+")


@dataclass(frozen=True)
class Artefact:
    """Rows of one table; `part` names what they replace (a model, a date)."""

    table: str
    part: str
    rows: pa.Table


def write(settings: Settings, artefacts: Sequence[Artefact]) -> str:
    """Write all of `artefacts`, visible together; the load's id."""
    load_id = new_load_id()
    day = utc_now().strftime("%Y-%m-%d")
    files = []
    for each in artefacts:
        part = _PART.sub("_", each.part.lower())
        path = settings.lake / f"ml_{each.table}" / day / f"{load_id}.{part}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(each.rows, path, compression="zstd")
        files.append({"table": each.table, "part": part, "path": str(path.relative_to(settings.lake))})
    entry = {"load_id": load_id, "written_at": utc_now().isoformat(), "files": files}
    write_atomically(settings.lake / LEDGER / f"{load_id}.json", json.dumps(entry, indent=1))
    return load_id


def rows_of(rows: Sequence[dict[str, object]], schema: pa.Schema) -> pa.Table:
    """Plain rows as a table."""
    return pa.Table.from_pylist(list(rows), schema=schema)
