"""Idempotency keys: a creating call that is repeated with one key creates once and answers the same."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from core.time import utc_now
from crm_api.dialect import insert_if_absent
from crm_api.errors import ConflictError
from crm_api.identity.models import IdempotencyKey
from crm_api.web.dependencies import CurrentIdentity, DbSession

_KEPT = timedelta(days=2)


class Once:
    """Runs a creating call at most once per (caller, operation, key); without a key it simply runs it."""

    def __init__(self, session: Session, user_id: int, operation: str, key: str | None, request_digest: str) -> None:
        self._session = session
        self._user_id = user_id
        self._operation = operation
        self._key = key
        self._digest = request_digest

    def run(self, produce: Callable[[], BaseModel | None], *, status: int = 201, secret: bool = False) -> Response:
        """The answer of `produce`, or the answer that this key got before (header Idempotent-Replay: true).

        Where `produce` gives None the answer has no body (status 204).

        Args:
            secret: the answer holds something shown once; its replay is refused instead of stored.

        Raises:
            ConflictError: the key was used with another body, or its first call is still running.
        """
        if self._key is None:
            return _answer(produce(), status)
        row = self._claim()
        if row.status is not None:
            return self._replay(row)
        made = produce()
        row.status, row.body = status, None if secret or made is None else made.model_dump_json()
        return _answer(made, status)

    def _find(self) -> IdempotencyKey | None:
        return self._session.scalars(
            select(IdempotencyKey).where(
                IdempotencyKey.user_id == self._user_id,
                IdempotencyKey.operation == self._operation,
                IdempotencyKey.key == self._key,
            )
        ).one_or_none()

    def _claim(self) -> IdempotencyKey:
        # A concurrent twin waits in this insert for the first one's end.
        values = {
            "user_id": self._user_id,
            "operation": self._operation,
            "key": self._key,
            "request_digest": self._digest,
            "created_at": utc_now(),
        }
        mine = insert_if_absent(self._session, IdempotencyKey, values)
        row = self._find()
        if row is None or (row.status is None and not mine):
            raise ConflictError("The same request is being worked on.", "Wait a moment, then repeat it.")
        return row

    def _replay(self, row: IdempotencyKey) -> Response:
        if row.request_digest != self._digest:
            raise ConflictError(
                "This Idempotency-Key was used for a different request.", "Make a new key for a new request."
            )
        told = {"Idempotent-Replay": "true"}
        if row.status == 204:
            return Response(status_code=204, headers=told)
        if row.body is None:
            raise ConflictError("It was created; its secret was shown once.", "Look it up, or create another.")
        content: Any = json.loads(row.body)
        return JSONResponse(content, status_code=row.status or 201, headers=told)


def _answer(made: BaseModel | None, status: int) -> Response:
    return Response(status_code=status) if made is None else JSONResponse(made.model_dump(mode="json"), status)


async def _digest(request: Request) -> str:
    """Of what was sent: the body, or of a form its parts (a form sent again has another boundary)."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return hashlib.sha256(await request.body()).hexdigest()
    found = hashlib.sha256()
    for name, value in (await request.form()).multi_items():
        content = await value.read() if isinstance(value, UploadFile) else value.encode()
        told = value.filename if isinstance(value, UploadFile) else ""
        found.update(f"{name}\0{told}\0{hashlib.sha256(content).hexdigest()}\0".encode())
        if isinstance(value, UploadFile):
            await value.seek(0)
    return found.hexdigest()


async def key_dependency(
    request: Request,
    session: DbSession,
    identity: CurrentIdentity,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=8,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="Any text of your own, new for each thing that you create; repeat it when you repeat the call.",
            examples=["5f0c2b1e-capture-7"],
        ),
    ] = None,
) -> Once:
    digest = "" if key is None else await _digest(request)
    return Once(session, identity.user_id, f"{request.method} {request.url.path}"[:200], key, digest)


#: Declares that a creating call takes an Idempotency-Key: `return once.run(lambda: …)`.
Idempotent = Annotated[Once, Depends(key_dependency)]


def forget_old_keys(session: Session) -> None:
    """Delete keys older than two days (the worker's housekeeping)."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < utc_now() - _KEPT))
