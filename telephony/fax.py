"""Faxes that Asterisk received become contacts with the pages attached as PDF.

Asterisk writes `<call>.tif` while pages come in, and `<call>.told` when the call is over: status, pages, the caller's
number, the station's own name, begin and end, T38 or audio.
"""

import io
import logging
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image, ImageSequence, UnidentifiedImageError
from sqlalchemy import Engine

from core.database import session_scope
from crm_api.attachments import service as attachments
from crm_api.contacts.service import ContactPayload, receive
from crm_api.routing.ivr import telephony_actor

log = logging.getLogger(__name__)

#: Standard fax resolution; lines may be half as dense as points.
_DPI = (204.0, 196.0)


@dataclass(frozen=True)
class Told:
    """What Asterisk tells of a fax call."""

    status: str
    pages: int
    number: str
    station: str
    started_at: datetime
    ended_at: datetime
    #: T38 or audio; empty if it is not known.
    mode: str = ""


def read_told(text: str) -> Told | None:
    """The line that the dialplan wrote; None if it is not one."""
    fields = text.strip().split("|")
    if len(fields) not in (6, 7) or not all(one.isascii() and one.isdigit() for one in fields[4:6]):
        return None
    status, pages, number, station, began, ended = fields[:6]
    first, last = datetime.fromtimestamp(int(began), UTC), datetime.fromtimestamp(int(ended), UTC)
    return Told(status, int(pages) if pages.isdigit() else 0, number, station, first, max(first, last), *fields[6:])


def to_pdf(tiff: bytes, at: datetime) -> tuple[bytes, int]:
    """(PDF, pages) of a fax's TIFF; the same TIFF and instant give the same bytes.

    Raises:
        ValueError: not a TIFF with at least one page.
    """
    try:
        with Image.open(io.BytesIO(tiff)) as image:
            dpi = tuple(map(float, image.info.get("dpi", _DPI)))
            pages = [page.convert("1") for page in ImageSequence.Iterator(image)]
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"the fax's pages cannot be read: {error}") from error
    if min(dpi) <= 1:
        dpi = _DPI
    result, stamp = io.BytesIO(), time.gmtime(at.timestamp())
    pages[0].save(
        result, "PDF", save_all=True, append_images=pages[1:], dpi=dpi, title="", creationDate=stamp, modDate=stamp
    )
    return result.getvalue(), len(pages)


def collect(engine: Engine, spool: Path) -> dict[str, int]:
    """Take in the faxes that are complete; how many became contacts, came without pages, or are damaged.

    A fax whose contact is committed is moved to `done/`; repeating after a crash in between changes nothing.
    """
    counted: Counter[str] = Counter(received=0, empty=0, damaged=0)
    for path in sorted(spool.glob("*.told")):
        counted[_take(engine, path)] += 1
    return dict(counted)


def _take(engine: Engine, path: Path) -> str:
    told, pages = read_told(path.read_text(encoding="utf-8", errors="replace")), path.with_suffix(".tif")
    if told is None:
        return _put_away(path, "damaged")
    if not pages.exists() or not pages.stat().st_size:
        log.info("Fax %s came without pages (%s)", path.stem, told.status)
        return _put_away(path, "empty")
    try:
        content, _ = to_pdf(pages.read_bytes(), told.started_at)
    except ValueError as error:
        log.warning("Fax %s: %s", path.stem, error)
        return _put_away(path, "damaged")
    number = told.number or told.station
    with session_scope(engine) as session:
        actor = telephony_actor(session)
        payload = ContactPayload(started_at=told.started_at, ended_at=told.ended_at, remote_address=number[:40] or None)
        contact = receive(session, channel="fax", external_id=path.stem, payload=payload, actor=actor).contact
        attachments.add(
            session, actor=actor, owner="contact", owner_id=contact.id, name=f"fax-{path.stem}.pdf", content=content
        )
    return _put_away(path, "received")


def _put_away(path: Path, what: str) -> str:
    folder = path.parent / ("done" if what == "received" else what)
    folder.mkdir(mode=0o700, exist_ok=True)
    for one in (path.with_suffix(".tif"), path):
        if one.exists():
            one.rename(folder / one.name)
    return what
