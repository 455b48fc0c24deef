"""The parameters of a province, read from one YAML file and checked."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import ConfigurationError
from simulator.vocabulary import read_yaml

DEFAULT = Path(__file__).with_name("province.yml")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class City(_Part):
    """One city branch: its size and how it differs from the province."""

    weight: float = Field(gt=0)
    contacts: float = Field(gt=0)
    delay: float = Field(gt=0)
    churn: float = Field(ge=0)
    broadband: float = Field(ge=0, le=1)
    consent: float = Field(gt=0, lt=1)


class Customers(_Part):
    """What customers are like and what they take."""

    organisation_share: float
    key_levels: dict[str, dict[str, float]]
    contact_rate_shape: float = Field(gt=0)
    joined_per_year: float
    mean_tenure_years: float
    second_phone_share: float
    landline_share: float
    do_not_call_share: float
    second_account_share: float
    products: dict[str, dict[str, float]]
    monthly_fees_fen: dict[str, list[int]]


class Consents(_Part):
    """Who was asked and who agreed."""

    asked_share: float
    channel_odds: dict[str, float]
    channel_share: dict[str, float]
    odds_under_35: dict[str, float]
    odds_key_customer: float
    odds_after_5_years: float
    survey_share: float
    withdrawn_share: float


class Channel(_Part):
    """A channel other than voice."""

    share: float
    growth: float
    answer_minutes: float
    handle_minutes: float
    off_hours: float


class Service(_Part):
    """A service type: how often, how long, what follows."""

    voice: float
    other: float
    talk: float
    spread: float
    wrap: float
    hold: float
    self_service: float
    ticket: float
    again: float
    queue: str


class Queue(_Part):
    """A queue of the hotline."""

    name_zh: str
    name_en: str
    target_seconds: int
    rank: int
    is_priority: bool = False


class Patience(_Part):
    """How long callers wait before they hang up (Weibull)."""

    mean_seconds: float
    shape: float
    at_once_share: float


class Redial(_Part):
    """Callers who gave up and try again the same day."""

    share: float
    median_minutes: float


class Ivr(_Part):
    """The announcement before the queue."""

    median_seconds: float
    spread: float
    hang_up_share: float


class Alert(_Part):
    """The ringing at the agent's place."""

    mean_seconds: float
    no_answer_share: float
    no_answer_seconds: float
    no_answer_pause_seconds: float


class Group(_Part):
    """Agents with the same skills, their first queue first."""

    share: float
    queues: list[str]


class Centre(_Part):
    """A site with seats."""

    city: str
    share: float
    from_seats: int = 0


class Staffing(_Part):
    """How many agents are planned, and when."""

    occupancy: float
    margin: float
    least: int
    meal_hours: list[tuple[float, float]]
    meal_extra: float
    unplanned_absence: float
    weekday_seen: float
    days_a_week: int
    spare_seats: float
    shifts: list[tuple[int, int]]
    speed_spread: float


class Pause(_Part):
    """A pause of a shift."""

    reason: str
    paid: bool
    minutes: float
    share: float
    at: float
    spread: float
    long_only: bool


class Outages(_Part):
    """Outages of a township's network."""

    per_township_year: float
    mean_hours: float
    affected: tuple[float, float]
    complain: tuple[float, float]
    recognised_from: int
    factor: dict[str, float]
    months: list[float] = Field(min_length=12, max_length=12)


class Step(_Part):
    """One step of the loop: median minutes, log spread, what stretches it."""

    minutes: float
    spread: float
    city: bool
    office: bool


class Tickets(_Part):
    """The closed loop's shares and delays."""

    at_once: dict[str, float]
    at_once_minutes: float
    cancelled_share: float
    steps: dict[str, Step]
    returned_share: float
    pended_share: float
    rejected_share: float
    reopened_share: float
    reopen_within_days: float
    weekend_duty: float
    key_speed: float
    priorities: dict[str, float]
    on_behalf_share: float


class Surveys(_Part):
    """Who answers, and what moves the score."""

    contact_asked: float
    contact_response: float
    ticket_asked: float
    ticket_response: float
    base: float
    spread: float
    per_minute_waited: float
    per_late_day: float
    complaint: float
    agent_quality: float


class Churn(_Part):
    """Why customers leave: a yearly hazard and its effects."""

    base_per_year: float
    half_life_days: float
    waited_minute: float
    abandoned_call: float
    complaint: float
    repeated_complaint: float
    late_repair: float
    late_hours: float
    fee_above_usual: float
    first_year: float
    per_product: float
    key_customer: float
    over_60: float
    most: float
    reasons: dict[str, float]


class Parameters(_Part):
    """Everything in province.yml."""

    townships: int = Field(ge=107)
    cities: dict[str, City]
    customers: Customers
    consents: Consents
    calls_per_year: float = Field(ge=0)
    other_contacts_per_year: float = Field(ge=0)
    unknown_caller_share: float
    channels: dict[str, Channel]
    voice_growth: float
    off_hours_calls: float
    weekdays: list[float] = Field(min_length=7, max_length=7)
    months: list[float] = Field(min_length=12, max_length=12)
    holiday_factor: float
    make_up_factor: float
    rebound_factor: float
    day_noise: float
    half_hour_noise: float
    hours_working: list[float]
    hours_off: list[float]
    service_types: dict[str, Service]
    complaint_types: dict[str, float]
    again_days: float
    again_with_ticket: float
    queues: dict[str, Queue]
    full_waiting_per_agent: float
    full_waiting_least: int
    timeout_seconds: float
    key_exit_share: float
    patience: Patience
    redial: Redial
    ivr: Ivr
    alert: Alert
    hold_mean_seconds: float
    transfer_share: float
    hotline_hours: tuple[int, int]
    groups_from_agents: int
    groups: dict[str, Group]
    centres: dict[str, Centre]
    staffing: Staffing
    pauses: list[Pause]
    no_answer_reason: str
    outages: Outages
    tickets: Tickets
    surveys: Surveys
    churn: Churn

    @model_validator(mode="after")
    def _fits_together(self) -> "Parameters":
        open_hours = self.hotline_hours[1] - self.hotline_hours[0]
        for name in ("hours_working", "hours_off"):
            if len(getattr(self, name)) != open_hours:
                raise ValueError(f"{name} needs one number for each of the hotline's {open_hours} hours")
        named = [service.queue for service in self.service_types.values()]
        named += [queue for group in self.groups.values() for queue in group.queues] + ["fault", "key"]
        for queue in named:
            if queue not in self.queues:
                raise ValueError(f"queue {queue!r} is not among queues")
        unserved = set(self.queues) - {queue for group in self.groups.values() for queue in group.queues}
        if unserved:
            raise ValueError(f"no group serves the queue {sorted(unserved)[0]!r}")
        return self


def read_parameters(path: Path | None = None, *, calls_per_year: float | None = None) -> Parameters:
    """The parameters in `path` (default: province.yml), the yearly calls of a customer replaced if given.

    Raises:
        ConfigurationError: the file is missing, not YAML, or a value does not fit.
    """
    file = path or DEFAULT
    try:
        content: dict[str, Any] = read_yaml(file)
    except OSError as error:
        raise ConfigurationError(f"The parameter file {file} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} is not YAML in UTF-8: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file} holds no parameters.", f"Begin with a copy of {DEFAULT.name}.")
    if calls_per_year is not None:
        content["calls_per_year"] = calls_per_year
    try:
        return Parameters.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigurationError(
            f"{file}: {where} does not fit: {first['msg']}.", f"Compare it with {DEFAULT.name}."
        ) from error
