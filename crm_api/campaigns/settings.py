"""Settings that hold for all campaigns."""

from functools import lru_cache

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class CampaignSettings(BaseSettings):
    """Every field is the environment variable CRM_CAMPAIGN_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="CRM_CAMPAIGN_", extra="ignore")

    global_holdout_percent: int = Field(default=2, ge=0, le=20, description="Customers whom no campaign ever calls.")
    global_salt: str = Field(default="broadcast", description="Changing it draws the global holdout anew.")
    reserve_minutes: int = Field(default=15, ge=1, description="How long an entry is kept for who took it.")


@lru_cache
def campaign_settings() -> CampaignSettings:
    """The settings of this process."""
    return CampaignSettings()
