"""`crm import calls` of a file of the bank's shape: rows/s and peak memory, against a loop over ORM objects."""

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

_ROWS = {"small": 50_000, "province": 1_000_000}
_NAIVE_ROWS = 1_500
_MAPPING = Path(__file__).parents[1] / "ingestion" / "mappings" / "bank_calls.yml"
_HEADER = (
    "vru+line,call_id,customer_id,priority,type,date,vru_entry,vru_exit,vru_time,q_start,q_exit,q_time,"
    "outcome,ser_start,ser_exit,ser_time,server"
)


def _clock(second: int) -> str:
    second %= 86_400
    return f"{second // 3600}:{second % 3600 // 60:02d}:{second % 60:02d}"


def _line(number: int, draw: random.Random) -> str:
    start = draw.randrange(25_000, 84_000)
    ivr, wait, talk = draw.randrange(3, 30), int(draw.expovariate(1 / 90)), int(draw.expovariate(1 / 180))
    outcome = draw.choices(("AGENT", "HANG", "PHANTOM"), (66, 33, 1))[0]
    queued = wait > 0
    joined, left = start + ivr, start + ivr + wait
    day = date(2010, 1, 4) + timedelta(days=number // 5_000)
    served = outcome == "AGENT"
    return ",".join(
        (
            f"AA02{draw.randrange(16):02d}",
            str(number),
            str(draw.randrange(200_000)),
            str(draw.randrange(3)),
            draw.choice(("PS", "NW", "IN", "NE", "TT", "PE")),
            day.isoformat(),
            _clock(start),
            _clock(joined),
            str(ivr),
            _clock(joined) if queued else "0:00:00",
            _clock(left) if queued else "0:00:00",
            str(wait),
            outcome,
            _clock(left) if served else "0:00:00",
            _clock(left + talk) if served else "0:00:00",
            str(talk if served else 0),
            f"AGENT{draw.randrange(80)}" if served else "NO_SERVER",
        )
    )


def write_calls(path: Path, rows: int, seed: int = 7) -> None:
    """A file of the bank's shape with `rows` made-up calls; the same seed gives the same file."""
    draw = random.Random(seed)
    with path.open("w", encoding="ascii") as file:
        file.write(_HEADER + "\n")
        file.writelines(_line(number, draw) + "\n" for number in range(rows))


def _import(file: Path) -> dict[str, Any]:
    """Import in a process of its own, whose peak memory is then its own too."""
    code = (
        "import json, resource, sys\n"
        "from pathlib import Path\n"
        "from core.database import make_engine\n"
        "from core.settings import get_settings\n"
        "from ingestion.imports.mapping_file import load_mapping\n"
        "from ingestion.imports.run import import_file\n"
        "done = import_file(make_engine(), get_settings(), load_mapping(Path(sys.argv[2])), Path(sys.argv[1]))\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(json.dumps({'seconds': done.seconds, 'loaded': done.loaded, 'there': done.already_there, 'peak': peak}))"
    )
    command = [sys.executable, "-c", code, str(file), str(_MAPPING)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _naive(file: Path) -> float:
    """Rows/s of the loop that one would write first: an ORM object a table and row, a transaction a row."""
    from sqlalchemy import select

    from core.database import make_engine, session_scope
    from crm_api.contacts.models import Call, CallSegment, Contact, QueueVisit
    from crm_api.workforce.models import Queue

    engine, zone = make_engine(), ZoneInfo("Asia/Jerusalem")
    with session_scope(engine) as session:
        session.add(Queue(code="naive", name_zh="naive", name_en="naive", calendar_code="always"))
    begun, rows = monotonic(), 0
    with file.open(encoding="ascii") as lines:
        for row in csv.DictReader(lines):
            if rows == _NAIVE_ROWS:
                break
            rows += 1
            local = datetime.strptime(f"{row['date']} {row['vru_entry']}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
            start = local.astimezone(UTC)
            joined = start + timedelta(seconds=int(row["vru_time"]))
            left = joined + timedelta(seconds=int(row["q_time"]))
            ended = left + timedelta(seconds=int(row["ser_time"]))
            key = f"naive:{row['vru+line']}|{row['call_id']}|{row['date']}|{row['vru_entry']}"
            with session_scope(engine) as session:
                if session.scalar(select(Contact.id).where(Contact.external_id == key)):
                    continue
                contact = Contact(
                    channel_code="voice", external_id=key, started_at=start, ended_at=ended, outcome="answered"
                )
                session.add(contact)
                session.flush()
                call = Call(contact_id=contact.id, started_at=start, ended_at=ended, ivr_seconds=int(row["vru_time"]))
                queue = session.scalars(select(Queue).where(Queue.code == "naive")).one()
                visit = QueueVisit(
                    contact_id=contact.id,
                    visit_number=1,
                    queue_id=queue.id,
                    entered_at=joined,
                    exited_at=left,
                    exit_class="answered",
                    ended_at=ended,
                )
                session.add_all([call, visit])
                session.flush()
                session.add(
                    CallSegment(call_id=call.id, segment_number=1, kind="ivr", started_at=start, ended_at=joined)
                )
                session.add(
                    CallSegment(call_id=call.id, segment_number=2, kind="talk", started_at=left, ended_at=ended)
                )
    engine.dispose()
    return rows / (monotonic() - begun)


def _prepare(home: Path) -> None:
    from core.database import make_engine, session_scope
    from core.settings import get_settings
    from crm_api.reference.service import load_reference
    from crm_api.store import migrate

    os.environ["CRM_HOME"] = str(home)
    os.environ.pop("CRM_DATABASE_URL", None)
    get_settings.cache_clear()
    engine = make_engine()
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
    engine.dispose()


def run(size: str) -> list[dict[str, object]]:
    """Rows/s into SQLite, peak memory, a repeated run, and the naive loop on the first rows, in one go."""
    from core.settings import get_settings

    rows, before = _ROWS[size], dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="crm-bench-import-") as folder:
        file = Path(folder) / "calls.csv"
        write_calls(file, rows)
        try:
            _prepare(Path(folder) / "home")
            first, second = _import(file), _import(file)
            _prepare(Path(folder) / "naive")
            naive = _naive(file)
        finally:
            os.environ.clear()
            os.environ.update(before)
            get_settings.cache_clear()
    speed = rows / first["seconds"]
    note = f"{rows:,} rows"
    return [
        {"name": "rows into SQLite", "value": speed, "unit": "rows/s", "aim": "20,000", "note": note},
        {
            "name": "peak memory",
            "value": first["peak"] / 1024,
            "unit": "MB",
            "aim": "600",
            "note": "bounded by the batch",
        },
        {
            "name": "the same file again",
            "value": rows / second["seconds"],
            "unit": "rows/s",
            "aim": "",
            "note": f"{second['there']:,} there already, {second['loaded']} loaded",
        },
        {"name": "ORM loop", "value": naive, "unit": "rows/s", "aim": "", "note": f"first {_NAIVE_ROWS:,} rows"},
        {"name": "ratio to the ORM loop", "value": speed / naive, "unit": "×", "aim": "50", "note": "same run"},
    ]
