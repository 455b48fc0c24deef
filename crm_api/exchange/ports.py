"""What a way to another system must be able to do; the file drop is one, a gateway's own interface another."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.settings import get_settings
from crm_api.exchange.models import PORTS


class ExchangeSettings(BaseSettings):
    """Which ports are in use; each setting is an environment variable CRM_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="CRM_", extra="ignore")

    exchange_ports: str = Field(default="", description="Ports in use, of: sms office foreign; separated by blanks.")
    exchange_folder: Path | None = Field(default=None, description="Where files are dropped; empty: CRM_HOME/exchange.")

    @property
    def ports(self) -> frozenset[str]:
        """The ports in use."""
        return frozenset(self.exchange_ports.split()) & frozenset(PORTS)

    @property
    def folder(self) -> Path:
        """Where files are dropped."""
        return self.exchange_folder or get_settings().home / "exchange"


@dataclass(frozen=True)
class Incoming:
    """A message that waits at a port; `problem` says why it cannot even be read."""

    name: str
    document: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None


class Port(Protocol):
    """One way in and out of another system. Both ways deliver at least once: messages are known by their `id`."""

    def send(self, message_id: str, document: dict[str, Any]) -> None:
        """Hand a message over; OSError or ConnectionError if that is not possible now."""
        ...

    def waiting(self) -> Iterator[Incoming]:
        """What has come in, oldest first."""
        ...

    def accept(self, message: Incoming) -> None:
        """It was taken in (now or before) and must not come again."""
        ...

    def refuse(self, message: Incoming, reason: str) -> None:
        """It cannot be taken in: keep it aside with the reason."""
        ...
