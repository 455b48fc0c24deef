"""One state of an agent, as the pure parts of telephony speak of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StateInterval:
    """One state of an agent, half-open [started_at, ended_at), seconds since 1970."""

    agent: str
    state: str
    started_at: int
    ended_at: int
    pause_reason: str | None = None
    call: str | None = None
