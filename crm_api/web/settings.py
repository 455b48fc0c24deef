"""Settings of the web application; each is an environment variable CRM_<FIELD>."""

from functools import lru_cache

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class WebSettings(BaseSettings):
    """How the application serves, limits and signs people in."""

    model_config = SettingsConfigDict(env_prefix="CRM_", extra="ignore")

    allowed_origins: str = Field(
        default="",
        description="Origins besides the request's own host that may call with a cookie, separated by blanks.",
    )
    session_idle_minutes: int = Field(default=60, ge=1, description="A session ends after so long without a request.")
    session_hours: int = Field(default=12, ge=1, description="A session ends after so long in any case (a shift).")
    secure_cookie: bool = Field(
        default=False, description="Mark the cookie Secure even where the request is not https."
    )
    login_failures: int = Field(default=5, ge=1, description="Failed sign-ins of an account before it is locked.")
    login_failures_per_address: int = Field(
        default=50, ge=1, description="The same of an address; an office shares one."
    )
    login_window_minutes: int = Field(default=15, ge=1, description="Window of the failures, and length of the lock.")
    requests_per_second: float = Field(default=30, gt=0, description="Sustained rate of one session or token.")
    requests_burst: int = Field(default=90, ge=1, description="Requests that may come at once.")
    requests_at_once: int = Field(default=8, ge=1, description="Requests worked on at once; the others wait a turn.")
    requests_in_flight: int = Field(
        default=24, ge=1, description="Requests worked on or waiting before the rest are shed."
    )
    longest_wait_seconds: float = Field(default=1.0, gt=0, description="Who waited so long for a turn is shed too.")
    reserved_in_flight: int = Field(default=12, ge=0, description="Further places kept for capture (writing) calls.")
    max_body_bytes: int = Field(default=1_048_576, ge=1024, description="Largest request body.")
    max_upload_bytes: int = Field(default=26_214_400, ge=1024, description="Largest multipart body (attachments).")
    max_attachment_bytes: int = Field(default=10_485_760, ge=1024, description="Largest attached file.")
    report_domains: str = Field(
        default="", description="Mail domains that reports may go to, separated by blanks; empty: any."
    )
    webhook_hosts: str = Field(default="", description="Hosts that webhooks may call, separated by blanks.")
    phone_socket: str = Field(
        default="",
        pattern=r"^(wss?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]*)?)?$",
        description="Where browsers' phones reach Asterisk, e.g. wss://host/phone; empty: no phone in the pages.",
    )
    pages_url: str = Field(
        default="",
        pattern=r"^(https?://[^/\s]+|(/[A-Za-z0-9_-]+)+)?$",
        description="Where browsers reach the analysts' pages: an origin, or a path of this host; empty: nowhere.",
    )
    oidc_issuer: str = Field(default="", description="OpenID provider; empty: sign-in by password only.")
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_username_claim: str = Field(default="preferred_username", description="Claim that names our user.")
    oidc_redirect_url: str = Field(
        default="", description="Our callback as the provider knows it; empty: from the host."
    )

    @field_validator("oidc_issuer")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def report_domain_names(self) -> frozenset[str]:
        """The domains that reports may go to, in lower case; empty: any."""
        return frozenset(self.report_domains.lower().split())

    @property
    def webhook_host_names(self) -> frozenset[str]:
        """The hosts that webhooks may call, in lower case."""
        return frozenset(self.webhook_hosts.lower().split())

    @property
    def oidc_enabled(self) -> bool:
        """Whether people may sign in at an OpenID provider."""
        return bool(self.oidc_issuer and self.oidc_client_id)


@lru_cache
def get_web_settings() -> WebSettings:
    """The settings of this process."""
    return WebSettings()
