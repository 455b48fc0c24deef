"""The file drop: JSON files in folders that another system's own tools fetch and fill.

<folder>/outbox/<id>.json   written whole; whoever fetches a file removes it
<folder>/inbox/*.json       written under another name and renamed by whoever sends
<folder>/done, refused      where taken files go; a refused one beside <name>.reason.txt
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import time
from typing import Any

from core.files import write_atomically
from crm_api.exchange.ports import Incoming

_LARGEST = 16 * 1024 * 1024
#: A file that is still being written is left alone for so long before it is called damaged.
_PATIENCE_SECONDS = 5.0
_SAFE = re.compile(r"[^A-Za-z0-9._-]")
_AT_ONCE = 200


class FileDrop:
    """A port over one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message_id: str, document: dict[str, Any]) -> None:
        """Write the file of a message whole or not at all; sending it again writes the same file."""
        name = _SAFE.sub("_", message_id)
        content = json.dumps({"id": message_id} | document, ensure_ascii=False, indent=1)
        write_atomically(self._folder / "outbox" / f"{name}.json", content)

    def waiting(self) -> Iterator[Incoming]:
        """The files of the inbox, oldest first; one that is still growing is left for later."""
        inbox = self._folder / "inbox"
        if not inbox.is_dir():
            return
        found = [path for path in inbox.glob("*.json") if path.is_file() and not path.is_symlink()]
        for path in sorted(found, key=lambda each: (each.stat().st_mtime_ns, each.name))[:_AT_ONCE]:
            message = _read(path)
            if message is not None:
                yield message

    def accept(self, message: Incoming) -> None:
        """Move the file to `done`."""
        self._move(message.name, "done")

    def refuse(self, message: Incoming, reason: str) -> None:
        """Move the file to `refused`, the reason beside it."""
        write_atomically(self._folder / "refused" / f"{message.name}.reason.txt", reason + "\n")
        self._move(message.name, "refused")

    def _move(self, name: str, where: str) -> None:
        target = self._folder / where
        target.mkdir(parents=True, exist_ok=True)
        # Two workers may have read it: the second finds it moved.
        with suppress(FileNotFoundError):
            (self._folder / "inbox" / name).replace(target / name)


def _read(path: Path) -> Incoming | None:
    """The message in a file, or why it cannot be read; None while it may still be written."""
    problem = None
    try:
        status = path.stat()
        if status.st_size > _LARGEST:
            return Incoming(path.name, problem=f"The file has {status.st_size} bytes; {_LARGEST} are allowed.")
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        if isinstance(document, dict):
            return Incoming(path.name, document)
        problem = "The file holds no JSON object."
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        problem = "The file is not UTF-8."
    except (json.JSONDecodeError, RecursionError):
        problem = "The file is not JSON."
    return Incoming(path.name, problem=problem) if time() - status.st_mtime > _PATIENCE_SECONDS else None
