"""A file copied in the background, for a publication: its bytes are on their way while the gates still look."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

_CHUNK_BYTES = 8 << 20
#: Flushed to disk as often as this many chunks were written, so that little is left to flush at the end.
_CHUNKS_A_FLUSH = 32


@contextmanager
def copying(source: Path, target: Path) -> Iterator[Future[None]]:
    """Copy `source` to `target` in the background; a copy that is not finished when the body ends is given up.

    The future's result raises what broke the copy, e.g. OSError on a full disk.
    """
    stop = Event()
    with ThreadPoolExecutor(1, "copying") as pool:
        try:
            yield pool.submit(_copy, source, target, stop)
        finally:
            stop.set()


def _copy(source: Path, target: Path, stop: Event) -> None:
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    with source.open("rb", buffering=0) as read, target.open("wb", buffering=0) as written:
        chunks = 0
        while not stop.is_set() and (length := read.readinto(buffer)):
            _write_all(written.fileno(), buffer[:length])
            chunks += 1
            if chunks % _CHUNKS_A_FLUSH == 0:
                os.fdatasync(written.fileno())


def _write_all(file: int, block: memoryview) -> None:
    while block:
        block = block[os.write(file, block) :]
