"""Each night: what was seen live is corrected by Asterisk's own logs; the residual reaches the marts."""

from datetime import timedelta
from pathlib import Path

from airflow.sdk import CronTriggerTimetable, dag, task
from airflow.sdk.exceptions import AirflowSkipException
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from dags.common import BEGIN, DEFAULTS, ZONE, step, told_of_delay


class LogSettings(BaseSettings):
    """Where Asterisk's logs lie; every field is the environment variable CRM_ASTERISK_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="CRM_ASTERISK_", extra="ignore")

    queue_log: str = Field(default="", description="Files by pattern, e.g. /var/log/asterisk/queue_log*")
    cel: str = Field(default="", description="Files by pattern, e.g. /var/log/asterisk/cel-custom/*.csv*")


def matching(pattern: str) -> list[Path]:
    """The files that a pattern of names (in one folder) matches, sorted; none for an empty one."""
    path = Path(pattern)
    return sorted(path.parent.glob(path.name)) if pattern else []


@dag(
    schedule=CronTriggerTimetable("30 1 * * *", timezone=ZONE),
    start_date=BEGIN,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    dagrun_timeout=timedelta(hours=2),
    on_failure_callback=told_of_delay,
    tags=["telephony"],
)
def reconcile_telephony() -> None:
    """Reconcile the store with queue_log and CEL; skipped where no log is named."""

    @task
    @step
    def reconcile() -> dict[str, int]:
        from core.database import make_engine
        from core.settings import get_settings
        from telephony.reconcile import reconcile as run

        logs = LogSettings()
        files = matching(logs.queue_log)
        if not files:
            raise AirflowSkipException("CRM_ASTERISK_QUEUE_LOG names no file.")
        settings = get_settings()
        cel = matching(logs.cel)
        days, summary = run(make_engine(settings), files, rejected=settings.rejected, cel=cel)
        return {"days": len(days), "added": summary.calls.added, "changed": summary.calls.changed}

    reconcile()


reconcile_telephony()
