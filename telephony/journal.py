"""A durable journal of manager events: what was received is on disk before it is interpreted.

Records are appended to numbered segment files and synced in groups: a record waits at most as long as one sync of
the disk (a few milliseconds), and a burst shares one. A record is `length, CRC-32, receipt time, frame`; a record
cut by a crash is recognised and ends the reading of its segment.
"""

import os
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.files import sync_folder

_HEAD = struct.Struct("<IId")
SEGMENT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """One received frame and when it was received (seconds since 1970)."""

    received_at: float
    frame: bytes


def _encode(record: Record) -> bytes:
    return _HEAD.pack(len(record.frame), zlib.crc32(record.frame), record.received_at) + record.frame


def _segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.journal"))


def read_segment(path: Path) -> Iterator[Record]:
    """The records of one segment; stops at the first that is cut or damaged."""
    content = path.read_bytes()
    at = 0
    while at + _HEAD.size <= len(content):
        length, checksum, received_at = _HEAD.unpack_from(content, at)
        frame = content[at + _HEAD.size : at + _HEAD.size + length]
        if len(frame) < length or zlib.crc32(frame) != checksum:
            return
        yield Record(received_at, frame)
        at += _HEAD.size + length


def replay(folder: Path, *, since: float = 0.0) -> Iterator[Record]:
    """The records received at or after `since`, oldest first."""
    for path in _segments(folder):
        if path.stat().st_mtime < since:
            continue
        yield from (record for record in read_segment(path) if record.received_at >= since)


def prune(folder: Path, *, before: float) -> int:
    """Remove whole segments last written before `before`; the number removed."""
    old = [path for path in _segments(folder)[:-1] if path.stat().st_mtime < before]
    for path in old:
        path.unlink()
    return len(old)


class Journal:
    """Appends frames from any thread; `deliver` gets each group of records once it is durable, in order.

    Args:
        folder: where the segments lie; made if missing.
        deliver: called in the journal's own thread with the records of one group commit.
        most: how many records one group may have.
    """

    def __init__(self, folder: Path, deliver: Callable[[Sequence[Record]], None], *, most: int = 5000) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._deliver, self._most = folder, deliver, most
        self._pending: list[Record] = []
        self._ready = threading.Condition()
        self._closing = False
        self._failure: OSError | None = None
        last = _segments(folder)
        # A new segment: the old one may end in a cut record.
        self._number = int(last[-1].stem) + 1 if last else 1
        self._handle = self._open()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def append(self, frame: bytes) -> None:
        """Take a frame; it is durable when `deliver` gets it.

        Raises:
            OSError: the disk refused an earlier group; nothing after it was taken.
        """
        with self._ready:
            if self._failure:
                raise self._failure
            self._pending.append(Record(time.time(), frame))
            if len(self._pending) == 1:
                self._ready.notify()

    def close(self) -> None:
        """Write what is pending and end; may be called twice."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        self._thread.join()

    def _open(self) -> int:
        path = self._folder / f"{self._number:010}.journal"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        sync_folder(self._folder)
        return handle

    def _run(self) -> None:
        size = 0
        while True:
            with self._ready:
                while not self._pending and not self._closing:
                    self._ready.wait()
                group, self._pending = self._pending[: self._most], self._pending[self._most :]
            if not group:
                os.close(self._handle)
                return
            content = b"".join(map(_encode, group))
            try:
                self._write(content)
            except OSError as error:
                with self._ready:
                    self._failure = error
                return
            size += len(content)
            if size >= SEGMENT_BYTES:
                os.close(self._handle)
                self._number, size = self._number + 1, 0
                self._handle = self._open()
            self._deliver(group)

    def _write(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._handle, rest) :]
        os.fdatasync(self._handle)
