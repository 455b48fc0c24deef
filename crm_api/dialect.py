"""The small seam between SQLite and PostgreSQL: what each says differently, nothing else may branch on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, and_, extract, func, inspect, type_coerce
from sqlalchemy import Float as FloatType
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from crm_api.base import Base

_ESCAPE = "\\"


def is_postgresql(session: Session) -> bool:
    """Whether the session's store is PostgreSQL."""
    return session.get_bind().dialect.name == "postgresql"


def insert_if_absent(session: Session, model: type[Base], values: dict[str, Any]) -> bool:
    """Insert a row unless a unique constraint already holds its like; whether it was inserted.

    Waits for a transaction that is inserting the same row to end.
    """
    insert = postgresql.insert if is_postgresql(session) else sqlite.insert
    primary = inspect(model).primary_key
    statement = insert(model).values(**values).on_conflict_do_nothing().returning(*primary)
    return session.execute(statement).first() is not None


def escape_like(text: str) -> str:
    """`text` with LIKE's wildcards taken literally (escape character backslash)."""
    for special in (_ESCAPE, "%", "_"):
        text = text.replace(special, _ESCAPE + special)
    return text


def starts_with(session: Session, column: InstrumentedAttribute[Any], prefix: str) -> ColumnElement[bool]:
    """`column` begins with `prefix`, in the form that each database's index serves."""
    if is_postgresql(session):
        return column.like(escape_like(prefix) + "%", escape=_ESCAPE)
    return and_(column >= prefix, column < prefix + "\U0010ffff")


def contains(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    """`column` contains `text`: trigrams serve it on PostgreSQL, SQLite reads the table."""
    return column.like(f"%{escape_like(text)}%", escape=_ESCAPE)


def seconds_between(session: Session, start: Any, end: Any) -> ColumnElement[float]:
    """Seconds from one instant to another, to the millisecond."""
    if is_postgresql(session):
        return type_coerce(extract("epoch", end - start), FloatType)
    return func.round((func.julianday(end) - func.julianday(start)) * 86_400, 3)


def begin_writing(session: Session) -> None:
    """Take SQLite's write lock before reading what will be changed; PostgreSQL locks rows instead (FOR UPDATE)."""
    if is_postgresql(session):
        return
    connection = session.connection()
    if not connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]  # a DB-API connection is there once it is open
        connection.exec_driver_sql("BEGIN IMMEDIATE")


#: Memory for a statement that reads whole tables: PostgreSQL's for one hash table, SQLite's for pages (KiB; and usual).
_WIDE_HASHES = "SET LOCAL work_mem = '256MB'"
_WIDE_PAGES, _USUAL_PAGES = "PRAGMA cache_size = -400000", "PRAGMA cache_size = -2000"
#: SQLite then reads the file in place (as much as it maps at most) instead of copying each page that it looks at.
_IN_PLACE, _COPIED = "PRAGMA mmap_size = 68719476736", "PRAGMA mmap_size = 0"


@contextmanager
def read_widely(session: Session) -> Iterator[None]:
    """Memory enough to read whole tables once, for the statements of the block (PostgreSQL: of the transaction)."""
    connection = session.connection()
    if is_postgresql(session):
        connection.exec_driver_sql(_WIDE_HASHES)
        yield
        return
    for pragma in (_WIDE_PAGES, _IN_PLACE):
        connection.exec_driver_sql(pragma)
    try:
        yield
    finally:
        for pragma in (_USUAL_PAGES, _COPIED):
            connection.exec_driver_sql(pragma)
