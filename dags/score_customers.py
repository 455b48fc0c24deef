"""Each night, and when models change: every customer is scored."""

from datetime import timedelta

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, task

from dags.common import BEGIN, DEFAULTS, MODELS, WAREHOUSE_POOL, ZONE, step, told_of_delay


@dag(
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("0 3 * * *", timezone=ZONE), assets=[MODELS]),
    start_date=BEGIN,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    dagrun_timeout=timedelta(hours=3),
    on_failure_callback=told_of_delay,
    tags=["models"],
)
def score_customers() -> None:
    """Scores with their reasons into lake, marts and store."""

    @task(pool=WAREHOUSE_POOL)
    @step
    def score() -> None:
        from ml.scoring import score as run

        run(tell=print)

    score()


score_customers()
