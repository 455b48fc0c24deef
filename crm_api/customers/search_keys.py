"""Filling `customer_search_keys`: after a bulk load (all that is stale) and with each change (the customers named).

A bulk load (simulation, import, restore) writes customers and addresses without keys; `crm init` and the start of
`crm api` call `refresh_all`, which costs two counts and two maxima where nothing is stale.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Engine, Select, delete, func, insert, select
from sqlalchemy.orm import Session

from core.database import session_scope
from crm_api.customers.models import KEY_LEVELS, Customer, CustomerAddress, CustomerSearchKey
from crm_api.customers.pinyin import search_forms
from crm_api.organisation.models import Township

_BATCH = 5_000
_COLUMNS = (Customer.id, Customer.row_version, Customer.unit_id, Customer.key_level, Customer.name)


def normal_name(name: str) -> str:
    """A name as it is compared: lower case, without blanks."""
    return "".join(name.split()).lower()


def refresh(session: Session, customer_ids: Sequence[int]) -> int:
    """Make the keys of these customers anew, in the caller's transaction; how many were stale."""
    session.flush()
    statement = select(*_COLUMNS).where(Customer.id.in_(customer_ids), Customer.deleted_at.is_(None))
    gone = delete(CustomerSearchKey).where(CustomerSearchKey.customer_id.in_(customer_ids))
    session.execute(gone)
    rows = _keys(session, statement)
    if rows:
        session.execute(insert(CustomerSearchKey), rows)
    return len(rows)


def refresh_all(engine: Engine, on_progress: Callable[[int], None] | None = None) -> int:
    """Make every stale or missing key, in transactions of 5,000 customers (so it can be stopped and resumed).

    Args:
        on_progress: told after each batch how many customers were looked at in all.

    Returns:
        Keys written; 0 where nothing was stale.
    """
    with session_scope(engine) as session:
        if _is_fresh(session):
            return 0
        session.execute(
            delete(CustomerSearchKey).where(
                CustomerSearchKey.customer_id.in_(select(Customer.id).where(Customer.deleted_at.is_not(None)))
            )
        )
    written = seen = after = 0
    while True:
        with session_scope(engine) as session:
            statement = select(*_COLUMNS).where(Customer.id > after, Customer.deleted_at.is_(None))
            rows = _keys(session, statement.order_by(Customer.id).limit(_BATCH))
            if not rows:
                return written
            written += _write_stale(session, rows)
        after, seen = rows[-1]["customer_id"], seen + len(rows)
        if on_progress:
            on_progress(seen)


def _is_fresh(session: Session) -> bool:
    customers = select(func.count()).select_from(Customer).where(Customer.deleted_at.is_(None))
    keys = select(func.count()).select_from(CustomerSearchKey)
    if session.scalar(customers) != session.scalar(keys):
        return False
    made_from = session.scalar(select(func.max(CustomerSearchKey.source_version))) or 0
    newest = [
        session.scalar(select(func.max(Customer.row_version)).where(Customer.deleted_at.is_(None))),
        session.scalar(select(func.max(CustomerAddress.row_version)).where(CustomerAddress.deleted_at.is_(None))),
    ]
    return all(version is None or version <= made_from for version in newest)


def _write_stale(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    first, last = rows[0]["customer_id"], rows[-1]["customer_id"]
    present = dict(
        session.execute(
            select(CustomerSearchKey.customer_id, CustomerSearchKey.source_version).where(
                CustomerSearchKey.customer_id.between(first, last)
            )
        ).all()
    )
    stale = [row for row in rows if present.get(row["customer_id"]) != row["source_version"]]
    if stale:
        known = [row["customer_id"] for row in stale if row["customer_id"] in present]
        if known:
            session.execute(delete(CustomerSearchKey).where(CustomerSearchKey.customer_id.in_(known)))
        session.execute(insert(CustomerSearchKey), stale)
    return len(stale)


def _keys(session: Session, statement: Select[*tuple[Any, ...]]) -> list[dict[str, Any]]:
    customers = session.execute(statement).all()
    if not customers:
        return []
    addresses = _addresses(session, [row.id for row in customers])
    rows = []
    for row in customers:
        lines = addresses.get(row.id, [])
        name = row.name or ""
        initials, pinyin = search_forms(name)
        rows.append(
            {
                "customer_id": row.id,
                "source_version": max([row.row_version, *(version for version, _ in lines)]),
                "unit_id": row.unit_id,
                "key_rank": KEY_LEVELS.index(row.key_level),
                "name": normal_name(name),
                "initials": initials,
                "pinyin": pinyin,
                "address": "\n".join(text for _, text in lines),
            }
        )
    return rows


def _addresses(session: Session, customer_ids: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    statement = (
        select(CustomerAddress.customer_id, CustomerAddress.row_version, Township.name_zh, CustomerAddress.detail)
        .outerjoin(Township, Township.id == CustomerAddress.township_id)
        .where(CustomerAddress.customer_id.in_(customer_ids), CustomerAddress.deleted_at.is_(None))
        .order_by(CustomerAddress.id)
    )
    for customer_id, version, township, detail in session.execute(statement):
        place, line = township or "", detail or ""
        found[customer_id].append((version, normal_name(line if line.startswith(place) else place + line)))
    return found
