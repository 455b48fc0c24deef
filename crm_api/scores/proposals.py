"""Proposed changes of key levels: a scoring proposes, a person accepts or declines, the level's entitlements follow."""

from collections.abc import Sequence

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Select, insert, select, update
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.customers.models import Customer
from crm_api.customers.service import change_customer, get_customer
from crm_api.dialect import begin_writing
from crm_api.errors import ConflictError, NotFoundError
from crm_api.identity.scope import scope_rule, scoped, visible_units
from crm_api.scores.models import KeyLevelProposal

_BATCH = 5_000
_PARTS = ("revenue", "outlook", "size", "breadth", "loyalty")


@scope_rule(KeyLevelProposal)
def _proposals(actor: Actor) -> ColumnElement[bool]:
    return KeyLevelProposal.unit_id.in_(visible_units(actor))


def propose(connection: Connection, changes: pa.Table) -> int:
    """Replace what is open by the proposals of a new scoring; the number of those.

    A customer whose level has changed meanwhile, or whose same change a person declined, is not proposed (again).

    Args:
        connection: of the store, in a transaction.
        changes: customer_id, from_level, to_level, score, <part>_points …, version, as_of.
    """
    proposal = KeyLevelProposal
    connection.execute(update(proposal).where(proposal.state == "open").values(state="superseded"))
    declined = {
        (row.customer_id, row.from_level, row.to_level)
        for row in connection.execute(
            select(proposal.customer_id, proposal.from_level, proposal.to_level).where(proposal.state == "declined")
        )
    }
    made = 0
    for batch in changes.to_batches(_BATCH):
        rows = [row for row in batch.to_pylist() if _key(row) not in declined]
        present = {
            row.id: row
            for row in connection.execute(
                select(Customer.id, Customer.key_level, Customer.unit_id).where(
                    Customer.id.in_([row["customer_id"] for row in rows]), Customer.deleted_at.is_(None)
                )
            )
        }
        values = [
            {
                "customer_id": row["customer_id"],
                "unit_id": present[row["customer_id"]].unit_id,
                "from_level": row["from_level"],
                "to_level": row["to_level"],
                "score": row["score"],
                "parts": {part: round(row[f"{part}_points"], 1) for part in _PARTS},
                "version": row["version"],
                "as_of": row["as_of"],
                "proposed_at": utc_now(),
            }
            for row in rows
            if row["customer_id"] in present and present[row["customer_id"]].key_level == row["from_level"]
        ]
        if values:
            connection.execute(insert(proposal), values)
        made += len(values)
    return made


def _key(row: dict[str, object]) -> tuple[object, object, object]:
    return row["customer_id"], row["from_level"], row["to_level"]


def visible(actor: Actor) -> Select[KeyLevelProposal]:
    """Open proposals within the actor's scope, the highest score first."""
    return scoped(select(KeyLevelProposal).where(KeyLevelProposal.state == "open"), actor)


def decide(
    session: Session,
    proposal_id: int,
    *,
    accept: bool,
    actor: Actor,
    note: str | None = None,
    account_manager: str | None = None,
    origin: Origin | None = None,
) -> KeyLevelProposal:
    """Accept or decline; accepting sets the customer's key level, and with it queue, service levels and frontend.

    Raises:
        NotFoundError: there is none in the actor's scope.
        ConflictError: it was decided already, or the customer's level has changed since.
    """
    begin_writing(session)
    statement = scoped(select(KeyLevelProposal).where(KeyLevelProposal.id == proposal_id), actor).with_for_update()
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFoundError(f"There is no proposal {proposal_id}.", "List the open ones.")
    if found.state != "open":
        raise ConflictError(f"Proposal {proposal_id} is {found.state}.", "Take an open one.")
    if accept:
        customer = get_customer(session, found.customer_id, actor, to_change=True)
        if customer.key_level != found.from_level:
            raise ConflictError(
                f"The customer is {customer.key_level} by now, not {found.from_level}.", "Wait for the next scoring."
            )
        changes: dict[str, object] = {"key_level": found.to_level}
        if account_manager is not None:
            changes["account_manager"] = account_manager
        change_customer(session, customer, changes, actor=actor, origin=origin)
    found.state = "accepted" if accept else "declined"
    found.decided_by, found.decided_at, found.note = actor.username, utc_now(), note
    record(
        session,
        "key_level.accepted" if accept else "key_level.declined",
        actor=actor,
        subject=("customer", found.customer_id),
        reason=note,
        origin=origin,
        fields=["key_level"],
    )
    session.flush()
    return found


def open_of(session: Session, customer_ids: Sequence[int]) -> dict[int, KeyLevelProposal]:
    """The open proposals of some customers."""
    statement = select(KeyLevelProposal).where(
        KeyLevelProposal.customer_id.in_(customer_ids), KeyLevelProposal.state == "open"
    )
    return {row.customer_id: row for row in session.scalars(statement)}
