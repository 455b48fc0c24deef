"""Each morning: reports whose period is over reach their subscribers, each once."""

from datetime import date, timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from dags.common import BEGIN, DEFAULTS, ZONE, step, told_of_delay

#: Data may be late: a report without fresh data is tried again through the morning.
_PATIENT = {"retries": 8, "retry_delay": timedelta(minutes=30), "retry_exponential_backoff": False}


@dag(
    schedule=CronTriggerTimetable("30 7 * * *", timezone=ZONE),
    start_date=BEGIN,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS | _PATIENT,
    dagrun_timeout=timedelta(hours=5),
    on_failure_callback=told_of_delay,
    tags=["reports"],
    params={"day": ""},
)
def kpi_reports() -> None:
    """Daily, weekly and monthly: the last whole period (or the one that holds the parameter `day`)."""

    @task
    @step
    def send(kind: str, params: dict[str, str] | None = None) -> list[str]:
        from cli.report import ReportsWaitError, send_reports

        day = (params or {}).get("day", "")
        done = send_reports(kind, day=date.fromisoformat(day) if day else None, tell=print)
        if done.stale or done.waiting:
            raise ReportsWaitError(f"{len(done.stale)} reports wait for data, {len(done.waiting)} for the mail server.")
        return done.sent

    for kind in ("daily", "weekly", "monthly"):
        send.override(task_id=f"send_{kind}")(kind)


kpi_reports()
