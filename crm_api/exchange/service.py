"""The exchange with other systems, as `crm worker` does it: hand out what waits, take in what came, each once."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.database import session_scope
from core.time import utc_now
from crm_api.dialect import begin_writing, insert_if_absent
from crm_api.errors import RefusedError
from crm_api.exchange.filedrop import FileDrop
from crm_api.exchange.incoming import take_in
from crm_api.exchange.models import ExchangeMessage
from crm_api.exchange.ports import ExchangeSettings, Incoming, Port

_LOG = logging.getLogger("crm.exchange")
_BATCH = 50
_LONGEST_ID = 100


@dataclass
class Exchanged:
    """What one round did."""

    sent: int = 0
    taken: int = 0
    refused: int = 0


def ports_in_use(settings: ExchangeSettings | None = None) -> dict[str, Port]:
    """The ports that the installation uses, each over its folder."""
    used = settings or ExchangeSettings()
    return {name: FileDrop(used.folder / name) for name in sorted(used.ports)}


def work_round(engine: Engine, ports: Mapping[str, Port] | None = None) -> Exchanged:
    """Hand out and take in what there is; a port that does not answer is tried again in the next round."""
    done = Exchanged()
    for name, port in (ports if ports is not None else ports_in_use()).items():
        try:
            while sent := _hand_out(engine, name, port):
                done.sent += sent
            for message in port.waiting():
                if _take(engine, name, port, message):
                    done.taken += 1
                else:
                    done.refused += 1
        except (OSError, ConnectionError) as error:
            _LOG.warning("port %s does not answer: %s", name, error)
    return done


def _hand_out(engine: Engine, name: str, port: Port) -> int:
    """Send one batch. Whoever dies between sending and noting it sends again, under the same id."""
    with session_scope(engine) as session:
        waiting = (
            select(ExchangeMessage)
            .where(ExchangeMessage.port == name, ExchangeMessage.direction == "out", ExchangeMessage.state == "waiting")
            .order_by(ExchangeMessage.id)
            .limit(_BATCH)
        )
        if session.scalar(waiting.with_only_columns(ExchangeMessage.id).limit(1)) is None:
            return 0
        begin_writing(session)
        rows = session.scalars(waiting.with_for_update(skip_locked=True)).all()
        for row in rows:
            port.send(row.external_id, row.body)
            row.state, row.done_at = "done", utc_now()
            # Numbers and words to customers are not kept beside what the ticket holds anyway.
            row.body = {}
        return len(rows)


def _take(engine: Engine, name: str, port: Port, message: Incoming) -> bool:
    """Take one message in, or keep it aside; whether it was taken."""
    reason = message.problem or _problem_of_id(message)
    if reason is None:
        try:
            with session_scope(engine) as session:
                before = _enter(session, name, message)
            if before is None:
                port.accept(message)
                return True
            reason = before
        except RefusedError as refusal:
            reason = f"{refusal.message} {refusal.mend}".strip()
            _note_refusal(engine, name, message, reason)
        except IntegrityError as error:
            _LOG.warning("message %s of %s contradicts the store: %s", message.name, name, error.orig)
            reason = "It contradicts what is there."
            _note_refusal(engine, name, message, reason)
    port.refuse(message, reason)
    return False


def _problem_of_id(message: Incoming) -> str | None:
    given = message.document.get("id")
    if not isinstance(given, str) or not 1 <= len(given.strip()) <= _LONGEST_ID or "\x00" in given:
        return f"id is missing, or no text of 1 to {_LONGEST_ID} characters."
    return None


def _enter(session: Session, name: str, message: Incoming) -> str | None:
    """Take it in unless that was done before; why it was refused before, if it was."""
    begin_writing(session)
    key = {"port": name, "direction": "in", "external_id": message.document["id"].strip()}
    is_new = insert_if_absent(session, ExchangeMessage, key | {"body": {}, "state": "done", "created_at": utc_now()})
    row = session.scalars(select(ExchangeMessage).filter_by(**key)).one()
    if not is_new:
        return row.reason if row.state == "refused" else None
    take_in(session, name, message.document, row)
    row.done_at = utc_now()
    return None


def _note_refusal(engine: Engine, name: str, message: Incoming, reason: str) -> None:
    with session_scope(engine) as session:
        values = {
            "port": name,
            "direction": "in",
            "external_id": message.document["id"].strip(),
            "body": {},
            "state": "refused",
            "reason": reason[:300],
            "created_at": utc_now(),
            "done_at": utc_now(),
        }
        insert_if_absent(session, ExchangeMessage, values)
