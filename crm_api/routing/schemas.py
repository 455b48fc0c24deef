"""Bodies of the telephone routes."""

from typing import Literal

from pydantic import Field

from crm_api.identity.schemas import Instant
from crm_api.routing.phones import Wish
from crm_api.web.schemas import In, Out


class PhoneOut(Out):
    """The caller's own phone and the state they are in; state NULL: logged out, or not known."""

    agent: str
    kind: str = Field(description="webrtc: the browser is the phone; sip: a phone on the desk")
    queues: list[str]
    wrap_up: dict[str, int] = Field(description="Queue -> seconds after a call")
    is_there: bool = Field(description="Whether telephony answers")
    state: str | None
    since: Instant | None
    pause_reason: str | None


class CredentialsOut(Out):
    """What the caller's own browser registers with."""

    agent: str
    secret: str
    socket: str


class WishIn(In):
    """The state that an agent asks for."""

    state: Wish
    reason: str | None = Field(default=None, max_length=20, examples=["lunch"], description="Of a pause")


class DialIn(In):
    """A number to call from the caller's own phone."""

    number: str = Field(min_length=2, max_length=30, pattern=r"^\+?[0-9 ()\-]+$")


class ListenIn(In):
    """How a supervisor joins an agent's call."""

    mode: Literal["listen", "whisper", "barge"] = "listen"


class ForcePauseIn(In):
    """Why a supervisor pauses an agent."""

    reason: str = Field(min_length=2, max_length=300)


class OrderOut(Out):
    """Telephony was told; how it went comes over the live line under this key."""

    key: str


class QueueNow(Out):
    """One queue now; NULL: not known (or nobody waits, for the longest wait; nothing offered, for the level)."""

    code: str
    name_zh: str
    name_en: str
    is_priority: bool
    waiting: int | None
    longest_wait_seconds: int | None
    offered_today: int | None
    answered_today: int | None
    abandoned_today: int | None
    service_level_today: float | None = Field(description="Answered within T of offered today, 0 to 1")
    agents_available: int | None


class LiveOut(Out):
    """The centre now. `is_known` false: telephony is not there and every figure is NULL."""

    at: Instant
    is_known: bool
    waiting: int | None
    longest_wait_seconds: int | None
    offered_today: int | None
    answered_today: int | None
    abandoned_today: int | None
    service_level_today: float | None
    agents_by_state: dict[str, int] | None
    queues: list[QueueNow]


class AgentNowOut(Out):
    """One agent who is logged in."""

    code: str
    name: str
    state: str
    since: Instant
    pause_reason: str | None
