"""Where things lie and how they are tuned: one settings object, read from CRM_* variables."""

from functools import lru_cache
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import ConfigurationError

#: The zone in which people read times and days; the store and the lake hold UTC.
TIME_ZONE = "Asia/Shanghai"


class Settings(BaseSettings):
    """Settings of one installation; every field is the environment variable CRM_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="CRM_", extra="ignore")

    home: Path = Field(default=Path("var"), description="Everything a run writes lies below this folder.")
    database_url: str = Field(default="", description="Operational store; empty: SQLite under CRM_HOME.")
    database_url_file: Path | None = Field(default=None, description="A file that holds the URL instead (a secret).")
    language: str = Field(default="zh-CN", description="zh-CN or en.")
    service_level_seconds: int = Field(default=20, ge=1, description="T of the service levels, inclusive.")
    short_abandon_seconds: int = Field(default=5, ge=0, description="S: abandons up to S are short.")
    duckdb_memory: str = Field(
        default="6GB", description="Memory limit of the warehouse build; half of it is kept between queries."
    )
    duckdb_threads: int = Field(default=2, ge=1, description="Threads of the warehouse build.")
    keep_publications: int = Field(default=3, ge=1, description="Published marts kept for rollback.")

    keep_backups: int = Field(default=8, ge=1, description="Archives kept in CRM_HOME/backups.")
    keep_rejected_days: int = Field(default=180, ge=1, description="Days that rejected rows of imports are kept.")
    keep_log_days: int = Field(default=30, ge=1, description="Days that logs are kept.")
    keep_journal_days: int = Field(default=14, ge=1, description="Days that the telephony journal is kept.")
    keep_former_epoch_days: int = Field(
        default=30, ge=1, description="Days that lake loads ended by a restore are kept."
    )

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        path = value.expanduser().resolve()
        if path.exists() and not path.is_dir():
            raise ValueError("a file is there, not a folder")
        return path

    @field_validator("language")
    @classmethod
    def _known_language(cls, value: str) -> str:
        if value not in ("zh-CN", "en"):
            raise ValueError("it is zh-CN or en")
        return value

    @model_validator(mode="after")
    def _read_secret(self) -> Self:
        if self.database_url_file is not None and not self.database_url:
            try:
                self.database_url = self.database_url_file.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ConfigurationError(
                    f"CRM_DATABASE_URL_FILE is {self.database_url_file}, which cannot be read: {error.strerror}.",
                    "Name a file that holds the store's URL, readable by this process.",
                ) from error
        return self

    @property
    def store_url(self) -> str:
        """SQLAlchemy URL of the operational store."""
        return self.database_url or f"sqlite:///{self.home / 'store' / 'crm.sqlite'}"

    @property
    def lake(self) -> Path:
        """Folder of the append-only Parquet lake: one folder a table."""
        return self.home / "lake"

    @property
    def warehouse_file(self) -> Path:
        """The DuckDB file that only the build opens."""
        return self.home / "warehouse" / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """Folder of the published marts and CURRENT.json."""
        return self.home / "published"

    @property
    def rejected(self) -> Path:
        """Folder of the rejected rows of imports."""
        return self.home / "rejected"


@lru_cache
def get_settings() -> Settings:
    """The settings of this process; tests call `get_settings.cache_clear()` after changing variables."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "CRM_" + "_".join(map(str, first["loc"])).upper()
        raise ConfigurationError(f"{name} is {first['input']!r}: {first['msg']}.", f"Mend or unset {name}.") from error
