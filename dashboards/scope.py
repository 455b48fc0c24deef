"""Who looks: the scope with which every reader of a page is opened."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.scope import PROVINCE, Scope


class DashboardSettings(BaseSettings):
    """Settings of the pages; every field is the environment variable CRM_DASHBOARD_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="CRM_DASHBOARD_", extra="ignore")

    scope: str = Field(default="", description="City code of the viewer's branch; empty: the whole province.")
    poll_seconds: float = Field(default=5.0, gt=0, description="How often a page looks for a new publication.")


def viewer_scope() -> Scope:
    """The viewer's scope. Until people sign in it is one setting for the whole installation."""
    city = DashboardSettings().scope.strip()
    return Scope(city) if city and city != "province" else PROVINCE
