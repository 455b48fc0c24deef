"""`crm ingest` of a wide table from SQLite and PostgreSQL: rows/s and peak memory, against rows through pandas."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd
from sqlalchemy import Engine, select, text

from core.database import make_engine, session_scope
from crm_api.models import Base
from crm_api.reference.service import load_reference
from crm_api.store import migrate

_ROWS = {"small": 500_000, "province": 5_000_000}
#: The alternative is slow: a part of the table tells its rate.
_PLAIN_ROWS = 100_000
_AIM = "≥ 100,000"

# A bulk load takes one version number itself, as the simulator does.
_FILL_SQLITE = """
INSERT INTO contacts (channel_code, external_id, direction, started_at, ended_at, outcome, is_self_served,
                      remote_address, source, row_version)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)
SELECT 'voice', 'bench-' || i, 'in',
       strftime('%Y-%m-%d %H:%M:%f', 1767225600 + i * 3, 'unixepoch') || '000',
       strftime('%Y-%m-%d %H:%M:%f', 1767225600 + i * 3 + 240, 'unixepoch') || '000',
       'answered', i % 2, '+86138' || printf('%08d', i % 20000), 'bench', (SELECT value FROM capture_clock)
FROM n
"""
_FILL_POSTGRESQL = """
INSERT INTO contacts (channel_code, external_id, direction, started_at, ended_at, outcome, is_self_served,
                      remote_address, source)
SELECT 'voice', 'bench-' || i, 'in', timestamptz '2026-01-01' + i * interval '3 s',
       timestamptz '2026-01-01 00:04' + i * interval '3 s', 'answered', i % 2 = 1,
       '+86138' || lpad((i % 20000)::text, 8, '0'), 'bench'
FROM generate_series(1, :rows) AS i
"""
_TAKE = """
import json, resource
from ingestion.load import ingest
done = ingest()
peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps({"rows": done.rows, "seconds": done.seconds, "peak_mb": peak / 1024}))
"""


def _ingest(home: Path, url: str) -> dict[str, Any]:
    """A load in a process of its own, as `crm ingest` is; seconds are those of the whole process."""
    environment = os.environ | {"CRM_HOME": str(home), "CRM_DATABASE_URL": url}
    began = perf_counter()
    done = subprocess.run([sys.executable, "-c", _TAKE], env=environment, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result | {"process_seconds": perf_counter() - began}


def _prepare(url: str, rows: int) -> Engine:
    engine = make_engine(url=url)
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("UPDATE capture_clock SET value = value + 1"))
            connection.execute(text(_FILL_SQLITE), {"rows": rows})
        else:
            connection.execute(text(_FILL_POSTGRESQL), {"rows": rows})
    return engine


def _plain(engine: Engine, folder: Path) -> float:
    """Rows/s of the obvious way: rows through SQLAlchemy into pandas, then Parquet."""
    began, rows = perf_counter(), 0
    with engine.connect() as connection:
        query = select(Base.metadata.tables["contacts"]).limit(_PLAIN_ROWS)
        chunks = pd.read_sql(query, connection, chunksize=20_000)
        for number, chunk in enumerate(chunks):
            chunk.to_parquet(folder / f"plain{number}.parquet")
            rows += len(chunk)
    return rows / (perf_counter() - began)


def _measure(name: str, url: str, folder: Path, rows: int) -> Iterator[dict[str, Any]]:
    engine = _prepare(url, rows)
    plain = _plain(engine, folder)
    engine.dispose()
    whole = _ingest(folder / "home", url)
    rate = whole["rows"]["contacts"] / whole["seconds"]
    note = f"{rows:,} contacts with their numbers in the restricted table; {rate / plain:.1f} times pandas"
    yield {"name": f"{name}, whole store", "value": rate, "unit": "rows/s", "aim": _AIM, "note": note}
    yield {"name": f"{name}, rows by pandas", "value": plain, "unit": "rows/s", "aim": "", "note": "the alternative"}
    peak = whole["peak_mb"]
    yield {"name": f"{name}, peak memory", "value": peak, "unit": "MB", "aim": "", "note": "the larger process"}
    with engine.begin() as connection:
        connection.execute(text("UPDATE contacts SET data_flag = 'bench' WHERE external_id LIKE 'bench-%77'"))
    engine.dispose()
    some = _ingest(folder / "home", url)
    note = f"{sum(some['rows'].values()):,} rows, the process's start included"
    yield {
        "name": f"{name}, one row in a hundred new",
        "value": some["process_seconds"],
        "unit": "s",
        "aim": "",
        "note": note,
    }
    none = _ingest(folder / "home", url)
    note = "the process's start included"
    yield {"name": f"{name}, nothing new", "value": none["process_seconds"], "unit": "s", "aim": "< 2", "note": note}


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="crm-bench-ingest-") as name:
        yield Path(name)


def run(size: str) -> list[dict[str, Any]]:
    """Figures of loads from both databases; `size` is small or province."""
    # The servers of the tests: a cluster in a temporary folder.
    from tests.servers import postgresql_cluster

    rows = _ROWS[size]
    with _folder() as folder:
        figures = list(_measure("SQLite", f"sqlite:///{folder / 'crm.sqlite'}", folder, rows))
    with _folder() as folder, postgresql_cluster() as url:
        return figures + list(_measure("PostgreSQL", url, folder, rows))
