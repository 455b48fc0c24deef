"""The declarative base and the mixin of captured tables (those that ingestion carries to the lake)."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, FetchedValue, MetaData, Table, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.database import UtcDateTime


class Base(DeclarativeBase):
    """All tables of the operational store; constraint names are predictable for migrations."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Captured:
    """A table whose every committed version reaches the lake.

    `row_version` is set by the database (docs/architecture.md, decision 3), never by the application.
    Rows are never hard-deleted (a trigger refuses): `deleted_at` is the tombstone that a merge or an erasure writes.
    """

    row_version: Mapped[int] = mapped_column(
        BigInteger, index=True, server_default=text("0"), server_onupdate=FetchedValue(), sort_order=1000
    )
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, sort_order=1001)


#: Marks a column as personal data: it reaches the lake only in the restricted table.
PERSONAL: dict[str, Any] = {"personal": True}


def captured_tables() -> list[Table]:
    """The captured tables, parents before children."""
    return [table for table in Base.metadata.sorted_tables if "row_version" in table.c]


def personal_columns(table: Table) -> list[str]:
    """Names of the columns of `table` that hold personal data."""
    return [column.name for column in table.c if column.info.get("personal")]


def one_of(column: str, values: tuple[str, ...], name: str | None = None) -> CheckConstraint:
    """A check that `column` holds one of `values` (or NULL)."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name or f"{column}_known")


def ordered(start: str, end: str) -> CheckConstraint:
    """A check that an interval does not end before it starts (an open end is allowed)."""
    return CheckConstraint(f"{end} IS NULL OR {end} >= {start}", name=f"{end}_not_before_start")
