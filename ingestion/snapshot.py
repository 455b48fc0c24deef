"""Where a load of the store begins and ends: its position among the store's row versions, and who the store is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, or_, select, text

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Position:
    """What a snapshot has seen: every version below `next`, those of the `open` transactions excepted.

    On SQLite nothing is ever open, and `next` is the clock + 1.
    """

    lowest: int
    next: int
    open: tuple[int, ...] = ()

    @classmethod
    def parse(cls, written: str) -> "Position":
        """From PostgreSQL's notation `xmin:xmax:xid,xid,…`."""
        lowest, following, unfinished = written.split(":")
        return cls(int(lowest), int(following), tuple(int(xid) for xid in unfinished.split(",") if xid))

    def __str__(self) -> str:
        return f"{self.lowest}:{self.next}:{','.join(map(str, self.open))}"

    def unseen(self, table: Table) -> ColumnElement[bool]:
        """The rows of `table` that a snapshot at this position has not seen.

        They are those with row_version >= xmin, less the ones that the snapshot did see: so an open transaction does
        not make every load deliver again all that was committed since it began.
        """
        version = table.c.row_version
        return or_(version >= self.next, version.in_(self.open)) if self.open else version >= self.next


@dataclass(frozen=True)
class StoreState:
    """The store at one snapshot: `store_id` changes when it is restored or replaced; `cursor` begins the next load."""

    store_id: str
    cursor: int
    position: Position

    def continues(self, store_id: str, since: Position) -> bool:
        """Whether this is the store of `store_id`, and not at an earlier point than `since`."""
        return self.store_id == store_id and self.position.next >= since.next

    @classmethod
    def from_row(cls, row: Any) -> "StoreState":
        """From the one row that `identity_query` gives."""
        store_id, cursor, written = row
        return cls(str(store_id), int(cursor), Position.parse(str(written)))


def identity_query(dialect: str) -> str:
    """The query that gives (store id, cursor, position); it also opens the snapshot."""
    return (_FOLDER / f"snapshot_{dialect}.sql").read_text(encoding="utf-8")


def store_state(connection: Connection) -> StoreState:
    """Who the store is and where it stands."""
    return StoreState.from_row(connection.execute(text(identity_query(connection.dialect.name))).one())


def anything_unseen(connection: Connection, tables: list[Table], since: Position | None) -> bool:
    """Whether any of `tables` has a row that a snapshot at `since` (None: nothing) has not seen."""
    return any(_has_unseen(connection, table, since) for table in tables)


def _has_unseen(connection: Connection, table: Table, since: Position | None) -> bool:
    # The maximum comes from the end of the index, also where the planner's statistics are old.
    newest = connection.scalar(select(func.max(table.c.row_version)))
    if newest is None or since is None or newest >= since.next:
        return newest is not None
    late = select(table.c.row_version).where(table.c.row_version.in_(since.open)).limit(1)
    return bool(since.open) and connection.scalar(late) is not None
