"""MixMonitor's files become recordings of their contacts; what is past its days is removed."""

import logging
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import Engine

from core.database import session_scope
from core.time import utc_now
from crm_api.routing import recordings
from crm_api.routing.ivr import telephony_actor

log = logging.getLogger(__name__)

#: A file that was not written to for so long is complete, once its call is over.
_QUIET_SECONDS = 5.0
#: Longer than anybody waits in a queue: then the call is over whatever the store knows of it.
_ABANDONED_SECONDS = 4 * 3600.0


def collect(engine: Engine, spool: Path, *, quiet_seconds: float = _QUIET_SECONDS) -> dict[str, int]:
    """Take in what Asterisk has finished recording, and purge; how many were linked, wait for their call, were purged.

    A file is removed from the spool once its copy and its row are durable.
    """
    counted: Counter[str] = Counter(linked=0, waiting=0, empty=0, purged=0)
    for path in sorted(spool.glob("*.wav")):
        facts = path.stat()
        quiet = time.time() - facts.st_mtime
        if quiet < quiet_seconds:
            continue
        # Nothing is recorded while a caller waits: a file may rest for minutes and then go on.
        is_over = quiet > _ABANDONED_SECONDS or _is_over(engine, path.stem)
        counted[_take(engine, path) if is_over else "waiting"] += 1
    with session_scope(engine) as session:
        counted["purged"] = recordings.purge(session, actor=telephony_actor(session), now=utc_now())
    return dict(counted)


def _is_over(engine: Engine, call: str) -> bool:
    with session_scope(engine) as session:
        return recordings.is_over(session, external_id=call)


def _take(engine: Engine, path: Path) -> str:
    content = path.read_bytes()
    if len(content) <= 44:
        path.unlink()
        return "empty"
    with session_scope(engine) as session:
        row = recordings.add(session, external_id=path.stem, content=content, now=utc_now())
        if row is None:
            return "waiting"
    path.unlink()
    return "linked"
