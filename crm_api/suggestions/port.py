"""The port for complaint types suggested from a text; `cli` plugs the model in, without one nothing is suggested."""

from collections.abc import Sequence
from typing import Protocol


class Suggester(Protocol):
    """Suggests complaint types for a text while somebody types: within 50 ms, safe to call from several threads."""

    def suggest(self, text: str) -> Sequence[tuple[str, float]]:
        """(complaint type code, confidence between 0 and 1) pairs, likeliest first; empty where nothing is likely."""
        ...


class _Socket:
    """Where the suggester is plugged in."""

    def __init__(self) -> None:
        self._plugged: Suggester | None = None

    def plug(self, suggester: Suggester | None) -> None:
        """Take this suggester from now on; None: none."""
        self._plugged = suggester

    def suggest(self, text: str) -> Sequence[tuple[str, float]]:
        """What the plugged suggester says; nothing without one."""
        return self._plugged.suggest(text) if self._plugged is not None else ()


#: The one of this process.
SOCKET = _Socket()
