"""Each month: models learn anew; a challenger that is better takes over."""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from dags.common import BEGIN, DEFAULTS, MODELS, WAREHOUSE_POOL, ZONE, step, told_of_delay


@dag(
    schedule=CronTriggerTimetable("0 2 2 * *", timezone=ZONE),
    start_date=BEGIN,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    dagrun_timeout=timedelta(hours=4),
    on_failure_callback=told_of_delay,
    tags=["models"],
)
def train_models() -> None:
    """Learn, judge against baselines, register; what is promoted is an event for the scoring."""

    @task(pool=WAREHOUSE_POOL, outlets=[MODELS])
    @step
    def train() -> list[str]:
        from ml.training import train as run

        return [str(outcome.model) for outcome in run(tell=print)]

    train()


train_models()
