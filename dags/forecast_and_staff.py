"""Each Monday: calls of five weeks ahead, and the seats they need."""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from dags.common import BEGIN, DEFAULTS, WAREHOUSE_POOL, ZONE, late_after, step


@dag(
    schedule=CronTriggerTimetable("0 4 * * 1", timezone=ZONE),
    start_date=BEGIN,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    deadline=late_after(timedelta(hours=2)),
    tags=["models"],
)
def forecast_and_staff() -> None:
    """Volume per queue and half-hour with its spread, seats needed, the roster's gap; published."""

    @task(pool=WAREHOUSE_POOL)
    @step
    def forecast() -> None:
        from ml.forecasting.run import forecast as run

        run(tell=print)

    forecast()


forecast_and_staff()
