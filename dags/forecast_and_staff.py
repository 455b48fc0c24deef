"""Each Monday: calls of five weeks ahead, and the seats they need."""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from dags.common import BEGIN, DEFAULTS, WAREHOUSE_POOL, ZONE, step, told_of_delay


@dag(
    schedule=CronTriggerTimetable("0 4 * * 1", timezone=ZONE),
    start_date=BEGIN,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    dagrun_timeout=timedelta(hours=2),
    on_failure_callback=told_of_delay,
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
