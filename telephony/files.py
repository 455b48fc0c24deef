"""A centre's log files (queue_log, CEL, CDR) into the store through the call model, whole days at a time."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, tzinfo
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.database import session_scope
from core.errors import BadInputError
from core.files import write_atomically
from crm_api.contacts.call_records import CallRecord, Directory, Written, store_calls
from crm_api.contacts.stored_holds import with_stored_holds
from crm_api.workforce.state_records import StateRecord, store_states
from telephony import cdr, cel
from telephony.agent_time import agent_states
from telephony.call_model import Visit, build_calls
from telephony.correct_states import correct_states
from telephony.queue_log import BadLine, QueueEvent, parse
from telephony.to_store import call_records, caller_numbers, instant

Progress = Callable[[str, int], None]


@dataclass
class ImportSummary:
    """What an import of log files did."""

    files: int
    lines_kept_aside: int
    events: int
    duplicates: int
    calls: Written
    visits: int
    agent_states: int
    rejected_file: str | None


def _lines(path: Path) -> Iterator[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8", errors="replace", newline="\n") as file:
            yield from file
    except FileNotFoundError as error:
        raise BadInputError(f"There is no file {path}.", "Check the name.") from error
    except (OSError, EOFError) as error:
        raise BadInputError(f"{path} cannot be read: {error}.", "Copy the file anew, then import it again.") from error


def read_queue_log(paths: Sequence[Path]) -> tuple[list[QueueEvent], dict[str, list[BadLine]]]:
    """Events of rotated files in any order, and the lines kept aside of each file."""
    events: list[QueueEvent] = []
    bad: dict[str, list[BadLine]] = {}
    for path in paths:
        aside: list[BadLine] = []
        events += parse(_lines(path), aside)
        if aside:
            bad[str(path)] = aside
    return events, bad


def read_cel(paths: Sequence[Path]) -> tuple[list[QueueEvent], dict[str, list[BadLine]]]:
    """Queue events of CEL files (a call may span two of them), and the lines kept aside of each file."""
    events: list[cel.CelEvent] = []
    bad: dict[str, list[BadLine]] = {}
    for path in paths:
        aside: list[BadLine] = []
        events += cel.parse(_lines(path), aside)
        if aside:
            bad[str(path)] = aside
    return list(cel.queue_events(events)), bad


def read_cdr(paths: Sequence[Path], *, zone: tzinfo = UTC) -> tuple[list[QueueEvent], dict[str, list[BadLine]]]:
    """Queue events of CDR files, and the lines kept aside of each file; `zone` is that of their times."""
    events: list[QueueEvent] = []
    bad: dict[str, list[BadLine]] = {}
    for path in paths:
        aside: list[BadLine] = []
        events += cdr.parse(_lines(path), aside, zone=zone)
        if aside:
            bad[str(path)] = aside
    return events, bad


def import_queue_log(
    engine: Engine, paths: Sequence[Path], *, source: str, rejected: Path, progress: Progress | None = None
) -> ImportSummary:
    """Load queue_log files; importing them twice, in another order or overlapping, changes nothing.

    Args:
        source: name of the foreign centre: put before its call ids, queues and agents ("" for our own PBX).
        rejected: folder for the lines that could not be read.

    Raises:
        BadInputError: a file is missing or unreadable, or not one event could be read.
    """
    return import_events(
        engine, read_queue_log(paths), paths, source=source, rejected=rejected, kind="queue_log", progress=progress
    )


def import_events(
    engine: Engine,
    read: tuple[list[QueueEvent], dict[str, list[BadLine]]],
    paths: Sequence[Path],
    *,
    source: str,
    rejected: Path,
    kind: str,
    progress: Progress | None = None,
) -> ImportSummary:
    """Load what `read_queue_log`, `read_cel` or `read_cdr` read from `paths`; as `import_queue_log`.

    Args:
        kind: queue_log, cel or cdr; names the file of what was kept aside.
    """
    events, bad = read
    if not events:
        raise BadInputError(
            f"Not one event could be read from {', '.join(map(str, paths))}.", f"Is it Asterisk's {kind}?"
        )
    calls = build_calls(events)
    prefix = f"{source}:" if source else ""
    with session_scope(engine) as session:
        directory = Directory(session, create=True)
        records = call_records(calls, caller_numbers(events), prefix=prefix)
        written = store_calls(
            session,
            _counted(records if source else with_stored_holds(session, records), progress),
            directory=directory,
            source=f"imported:{source}" if source else "captured",
        )
        if source:
            stored = _foreign_states(session, events, calls.visits, directory, source)
        else:
            stored = correct_states(session, events, calls.visits, directory)
    return ImportSummary(
        files=len(paths),
        lines_kept_aside=sum(map(len, bad.values())),
        events=len(set(events)),
        duplicates=len(events) - len(set(events)),
        calls=written,
        visits=len(calls.visits),
        agent_states=stored,
        rejected_file=_keep_aside(bad, rejected, kind, source),
    )


def _counted(records: Iterable[CallRecord], progress: Progress | None) -> Iterator[CallRecord]:
    for number, record in enumerate(records, start=1):
        if progress and number % 1000 == 0:
            progress("calls", number)
        yield record


def _foreign_states(
    session: Session, events: Sequence[QueueEvent], visits: Sequence[Visit], directory: Directory, source: str
) -> int:
    """What the log tells is all that is known of a foreign agent's time; the number of rows written."""
    first, last = min(event.at for event in events), max(event.at for event in events)
    records = []
    for one in agent_states(events, visits):
        agent = directory.agent(f"{source}:{one.agent}")
        if agent is None:
            raise BadInputError(f"Agent {one.agent} is unknown.", "Create the agent first.")
        started, ended = instant(one.started_at), instant(one.ended_at)
        records.append(StateRecord(agent, one.state, started, ended, one.pause_reason))
    return store_states(session, records, window=(instant(first), instant(last)), source=f"imported:{source}")


def _keep_aside(bad: dict[str, list[BadLine]], folder: Path, kind: str, source: str) -> str | None:
    if not bad:
        return None
    path = folder / f"{kind}-{source or 'own'}.jsonl"
    rows = [
        json.dumps({"file": name} | asdict(one), ensure_ascii=False) for name, lines in bad.items() for one in lines
    ]
    write_atomically(path, "\n".join(rows) + "\n")
    return str(path)
