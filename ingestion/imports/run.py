"""Importing one file: a batch at a time, each in its own transaction, so that a killed run is simply repeated."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import numpy as np
from sqlalchemy import Connection, Engine, text

from core.settings import Settings
from crm_api.store import require_ready, store_errors
from ingestion.imports.batch import Batch, Flags, Objects
from ingestion.imports.bulk import Loader, lock_writers
from ingestion.imports.directory import Directory
from ingestion.imports.instants import TimeReader
from ingestion.imports.keys import SeenKeys, row_keys
from ingestion.imports.mapping import Mapping
from ingestion.imports.reader import Source, check_columns, open_source
from ingestion.imports.rejects import Refused, RejectedFile, reason_text, store_rejects, withdraw_rejects
from ingestion.imports.texts import holds

BATCH = 20_000
Report = Callable[[int, int], None]


class Kind(Protocol):
    """What differs between calls and tickets; `rows` are what its own `read` gave."""

    def read(self, batch: Batch, times: TimeReader) -> Any:
        """The batch in our terms; rows with a fault are refused. Touches no store: it runs ahead in a thread."""

    def told(self, rows: Any) -> Refused:
        """What is known of the rows should they be refused."""

    def present(self, connection: Connection, rows: Any, keys: Objects) -> set[str]:
        """Keys that the store holds already."""

    def write(self, loader: Loader, rows: Any, keys: Objects, wanted: Flags) -> None:
        """Insert the wanted rows; the store does not hold them yet."""


@dataclass(frozen=True)
class _Prepared:
    """A batch that is read and judged, ready for the store."""

    batch: Batch
    rows: Any
    keys: Objects
    repeated: Flags


@dataclass
class Summary:
    """What an import did; `reasons` counts the refused rows by reason."""

    source: str
    kind: str
    file: str
    encoding: str
    read: int = 0
    loaded: int = 0
    already_there: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    rejected_file: str | None = None
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def came_to_nothing(self) -> bool:
        """Whether no row of the file is in the store."""
        return self.loaded + self.already_there == 0


@contextmanager
def _transaction(engine: Engine, source: str) -> Iterator[Loader]:
    with store_errors(engine), engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            # Room for the pages of the unique indexes, which are hit all over.
            connection.execute(text("PRAGMA cache_size = -65536"))
        lock_writers(connection, f"import {source}")
        yield Loader(connection)


def _kind(directory: Directory, mapping: Mapping) -> Kind:
    if mapping.kind == "calls":
        from ingestion.imports.call_writer import CallImport

        return CallImport(directory, mapping)
    from ingestion.imports.ticket_writer import TicketImport

    return TicketImport(directory, mapping)


class _Run:
    """One import under way."""

    def __init__(self, engine: Engine, mapping: Mapping, source: Source, rejected: RejectedFile) -> None:
        self.engine = engine
        self.mapping = mapping
        self.source = source
        self.rejected = rejected
        self.times = TimeReader(mapping.time_zone, is_workbook=source.is_workbook)
        self.seen = SeenKeys()
        self.reasons: Counter[str] = Counter()
        self.summary = Summary(mapping.source, mapping.kind, str(source.path), source.encoding)
        with _transaction(engine, mapping.source) as loader:
            self.kind = _kind(Directory(loader, mapping), mapping)

    def prepared(self, size: int) -> Iterator[_Prepared]:
        """The batches of the file, each prepared while the store writes the one before."""
        batches = self.source.batches(size)

        def prepare() -> _Prepared | None:
            rows = next(batches, None)
            return None if rows is None else self._prepare(Batch(rows, self.source.header))

        with ThreadPoolExecutor(1, thread_name_prefix="import") as ahead:
            coming = ahead.submit(prepare)
            while (now := coming.result()) is not None:
                coming = ahead.submit(prepare)
                yield now

    def _prepare(self, batch: Batch) -> _Prepared:
        keys = row_keys(batch, self.mapping.key)
        for rule in self.mapping.reject:
            batch.refuse(holds(rule.when, batch), rule.reason)
        rows = self.kind.read(batch, self.times)
        return _Prepared(batch, rows, keys, self._refuse_repeats(batch, keys))

    def take(self, prepared: _Prepared) -> None:
        """Bring one batch into the store, in one transaction."""
        batch, rows, keys = prepared.batch, prepared.rows, prepared.keys
        with _transaction(self.engine, self.mapping.source) as loader:
            there = self.kind.present(loader.connection, rows, keys)
            present = np.array([key in there for key in keys], dtype=np.bool_) & ~prepared.repeated
            wanted = batch.accepted & ~present
            # A row that was taken in once stays, even if the mapping would refuse it today.
            refused = ~batch.accepted & ~present
            self.kind.write(loader, rows, keys, wanted)
            withdraw_rejects(loader, self.mapping, keys[wanted])
            store_rejects(loader, self.mapping, batch, keys, refused, self.kind.told(rows))
        self._count(batch, wanted, present, refused)

    def _refuse_repeats(self, batch: Batch, keys: Objects) -> Flags:
        repeated = np.zeros(len(batch), dtype=np.bool_)
        for place, (line, number) in self.seen.repeats(keys, batch.lines).items():
            repeated[place] = True
            if batch.reasons[place] is None:
                batch.reasons[place] = "the key occurs twice in the file"
                batch.details[place] = f"{keys[place]}, first on line {line}"
            keys[place] = f"{keys[place]}#{number}"
        return repeated

    def _count(self, batch: Batch, wanted: Flags, present: Flags, refused: Flags) -> None:
        self.summary.read += len(batch)
        self.summary.loaded += int(wanted.sum())
        self.summary.already_there += int(present.sum())
        self.summary.rejected += int(refused.sum())
        for place in np.flatnonzero(refused).tolist():
            self.reasons[str(batch.reasons[place])] += 1
            cells = batch.rows.originals.get(place, batch.rows.cells[place])
            self.rejected.add(int(batch.lines[place]), reason_text(batch, place), cells)


def import_file(
    engine: Engine,
    settings: Settings,
    mapping: Mapping,
    path: Path,
    *,
    encoding: str | None = None,
    sheet: str | None = None,
    batch_size: int = BATCH,
    report: Report | None = None,
) -> Summary:
    """Bring a foreign file into the store; repeating it changes nothing, also after it was killed half-way.

    Args:
        encoding, sheet: override what the mapping says of the file.
        batch_size: rows a transaction.
        report: told rows read so far and lines of the file, about.

    Raises:
        BadInputError: the file is missing, damaged, in another encoding or lacks columns; nothing was loaded.
        ConfigurationError: the mapping names what does not exist; nothing was loaded.
        StoreUnavailableError: the store is missing, locked or not migrated.
    """
    begun = monotonic()
    needed = mapping.columns_read()
    source = open_source(
        path,
        wanted=set().union(*needed.values()),
        encoding=encoding or mapping.file.encoding,
        delimiter=mapping.file.delimiter,
        sheet=sheet or mapping.file.sheet,
    )
    check_columns(source, needed)
    require_ready(engine)
    with RejectedFile(settings.rejected, mapping, source) as rejected:
        run = _Run(engine, mapping, source, rejected)
        for prepared in run.prepared(batch_size):
            run.take(prepared)
            if report is not None:
                report(run.summary.read, source.lines)
    summary = run.summary
    summary.reasons = dict(run.reasons.most_common())
    summary.rejected_file = str(rejected.path) if rejected.rows else None
    summary.seconds = monotonic() - begun
    if not source.is_ended:
        summary.warnings.append("The last line has no line end: if the file was cut, its last value is incomplete.")
    return summary
