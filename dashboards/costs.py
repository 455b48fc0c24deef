"""What a contact of each channel costs: an assumption that an installation replaces with its own."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ConfigurationError
from dashboards.scope import DashboardSettings


class _Channel(BaseModel):
    model_config = ConfigDict(extra="forbid")
    fen_per_contact: float = Field(ge=0)
    minutes: float = Field(ge=0)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    agent_fen_per_minute: float = Field(gt=0)
    channels: dict[str, _Channel]


@dataclass(frozen=True)
class Cost:
    """Of one channel over a period."""

    yuan: float
    is_measured: bool


def costs() -> _File:
    """The assumptions in force. ConfigurationError: the file of CRM_DASHBOARD_COSTS is not one."""
    given = DashboardSettings().costs
    return _read(Path(given) if given else Path(__file__).with_name("costs.yml"))


@lru_cache
def _read(path: Path) -> _File:
    try:
        return _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValidationError, yaml.YAMLError) as error:
        raise ConfigurationError(
            f"CRM_DASHBOARD_COSTS: {path} is no file of costs: {error}.", "Copy costs.yml."
        ) from error


def cost_of(channel: str, contacts: float, handle_seconds: float) -> Cost | None:
    """What `contacts` of a channel cost, with the work measured; None: no assumption is known."""
    given = costs()
    known = given.channels.get(channel)
    if known is None:
        return None
    minutes = handle_seconds / 60 if handle_seconds > 0 else contacts * known.minutes
    fen = minutes * given.agent_fen_per_minute + contacts * known.fen_per_contact
    return Cost(fen / 100, handle_seconds > 0)
