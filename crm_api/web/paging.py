"""Cursor paging: each page starts after the last row of the one before, so rows that arrive meanwhile shift nothing."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query
from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.database import UtcDateTime
from crm_api.errors import InvalidError

Row = TypeVar("Row")
_OFFERED = 2**63


@dataclass(frozen=True)
class PageRequest:
    """Which page: after `cursor`, at most `limit` rows."""

    limit: int
    cursor: str | None


async def _page_request(
    limit: Annotated[int, Query(ge=1, le=200, description="Rows a page")] = 50,
    cursor: Annotated[str | None, Query(max_length=400, description="next_cursor of the page before")] = None,
) -> PageRequest:
    return PageRequest(limit=limit, cursor=cursor)


Paging = Annotated[PageRequest, Depends(_page_request)]


def _encode(values: Sequence[Any]) -> str:
    plain = [{"t": value.isoformat()} if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _value(value: Any, expected: type[Any]) -> Any:
    if expected is datetime and isinstance(value, dict):
        instant = datetime.fromisoformat(value["t"])
        if instant.tzinfo is None:
            raise ValueError("no zone")
        return instant
    if expected is int and type(value) is int and abs(value) < _OFFERED:
        return value
    if expected is str and isinstance(value, str) and "\0" not in value:
        return value
    raise ValueError("not such a value")


def _decode(cursor: str, expected: Sequence[type[Any]]) -> list[Any]:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = json.loads(raw)
        return [_value(value, kind) for value, kind in zip(values, expected, strict=True)]
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidError("The cursor is not one that this list gave.", "Start without a cursor.") from error


def _python_type(key: InstrumentedAttribute[Any]) -> type[Any]:
    return datetime if isinstance(key.type, UtcDateTime) else key.type.python_type


def _after(
    keys: Sequence[InstrumentedAttribute[Any]], values: Sequence[Any], *, descending: bool
) -> ColumnElement[bool]:
    branches = []
    for position, key in enumerate(keys):
        same = [before == value for before, value in zip(keys[:position], values, strict=False)]
        beyond = key < values[position] if descending else key > values[position]
        branches.append(and_(*same, beyond))
    return or_(*branches)


def fetch_page(
    session: Session,
    statement: Select[Row],
    *,
    keys: Sequence[InstrumentedAttribute[Any]],
    page: PageRequest,
    descending: bool = False,
) -> tuple[list[Row], str | None]:
    """Rows of a one-entity `statement` in the order of `keys` (unique together, never NULL), and the next cursor.

    Raises:
        InvalidError: the cursor is not one of this list.
    """
    if page.cursor is not None:
        values = _decode(page.cursor, [_python_type(key) for key in keys])
        statement = statement.where(_after(keys, values, descending=descending))
    order = [key.desc() if descending else key.asc() for key in keys]
    rows = list(session.scalars(statement.order_by(*order).limit(page.limit + 1)))
    if len(rows) <= page.limit:
        return rows, None
    rows = rows[: page.limit]
    return rows, _encode([getattr(rows[-1], key.key) for key in keys])
